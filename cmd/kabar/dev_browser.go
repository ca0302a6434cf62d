package main

import (
	"context"
	"os/exec"
	"runtime"
)

// openBrowser shows a page. It is a courtesy of kabar dev --open: when there is no browser, the address has been printed.
// The server itself starts no process.
func openBrowser(ctx context.Context, url string) {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	_ = exec.CommandContext(ctx, name, args...).Start() // the address has been printed
}
