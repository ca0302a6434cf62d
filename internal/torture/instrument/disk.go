package instrument

// OnDisk puts the files of the media folder on a disk that fails: the package works with package disk as it does with
// package os. SQLite needs no edit.
func OnDisk() []Edit {
	var all []Edit
	for _, name := range []string{"copy.go", "put.go", "reader.go", "store.go"} {
		all = append(all, Edit{File: "internal/media/" + name, Old: "\t\"os\"\n", New: "\tos \"kabar/internal/torture/disk\"\n"})
	}
	return all
}
