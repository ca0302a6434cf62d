package bench

import (
	"fmt"
	"syscall"
)

// filesystems are the usual ones, by the magic number of statfs(2).
var filesystems = map[uint32]string{0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x2fc12fc1: "zfs", 0x01021994: "tmpfs",
	0x794c7630: "overlayfs", 0x6969: "NFS", 0xf2f52010: "f2fs"}

// filesystem names the filesystem of a folder.
func filesystem(dir string) string {
	var s syscall.Statfs_t
	if syscall.Statfs(dir, &s) != nil {
		return unknown
	}
	if name := filesystems[uint32(s.Type)]; name != "" {
		return name
	}
	return fmt.Sprintf("filesystem 0x%x", uint32(s.Type))
}
