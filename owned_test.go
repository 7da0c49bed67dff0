package firedrill

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// This file holds that each signal, file, socket and store is handled by the code that is known to be careful with it.
// A new place either goes through that code or stands in a table here with its reason.

// A rule says which calls need a reason, unless they are made in one of the folders that may make them.
type rule struct {
	calls   []string          // "package.Function", or ".Method" of anything
	homes   []string          // folders whose code may make the calls
	instead string            // what to call elsewhere
	reasons map[string]string // why a file may make such calls nevertheless, by its base name
}

func rules() map[string]rule {
	const (
		child   = "its own child, which it has not waited for, so that nobody else has its id"
		named   = "a person names the file"
		operate = "whoever runs it chooses the folder; the native stack checks the one above"
	)
	return map[string]rule{
		"signal": {
			calls: []string{
				"syscall.Kill", "unix.Kill", "unix.Tgkill", "unix.PidfdSendSignal", ".Signal", ".Kill", ".SendSignal", ".SendSignalWithContext",
				".Terminate", ".TerminateWithContext", ".Suspend", ".SuspendWithContext", ".Resume", ".ResumeWithContext", ".KillWithContext",
				"unix.Prlimit", "syscall.Setpriority", "unix.Setpriority", "unix.ProcessVMWritev",
			},
			homes:   []string{"internal/proc"},
			instead: "proc.Identity.Send, which signals no other process that has the id by now",
			reasons: map[string]string{
				"load.go": child, "build.go": child, "docker.go": child,
				"memory_limit_linux.go": "it asks proc.Identity.Lives first; there is no call for limits by a handle",
			},
		},
		"file": {
			calls: []string{
				"os.WriteFile", "os.Create", "os.OpenFile", "os.MkdirAll", "os.Mkdir", "os.TempDir", "os.CreateTemp", "os.MkdirTemp", "os.Chmod",
				"os.Symlink", "os.Link", "renameio.WriteFile", "renameio.TempFile", "renameio.NewPendingFile",
			},
			homes:   []string{"internal/private"},
			instead: "package private, which follows no link, uses no folder of others and leaves no half file",
			reasons: map[string]string{
				"file.go": "a person names the file; it is replaced", "junit.go": "a person names the file; it is replaced",
				"bench.go": "a new folder with a random name", "write.go": "a new folder with a random name, in the data folder",
				"storage.go": operate, "settings.go": "it lets containers read what package private wrote",
				"results.go":    "a person names a file that is no regular one, such as /dev/stdout",
				"build.go":      "the folder of programs, which private.Trusted has checked",
				"supervisor.go": "the folder of the socket, which private.Folder creates and private.Check checks before each use",
				"slo_import.go": named, "drill_export.go": named, "loadshow.go": named, "capacity.go": named, "slo_sim.go": named,
				"slo_generate.go": named, "golden.go": "tests write it",
			},
		},
		"unbounded store": {
			calls:   []string{"bufio.NewScanner"},
			instead: "bufio.Reader.ReadBytes or json.Decoder: a Scanner refuses lines that are longer than its buffer, which whoever writes them does not know",
		},
		"socket": {
			calls:   []string{`"unix"`},
			instead: "stack.Settings.dial, which checks the peer",
			reasons: map[string]string{
				"supervisor.go": "it checks the folder and the peer",
				"transport.go":  "a person names the socket that gets the load", "address.go": "it reads the name of that socket",
			},
		},
	}
}

// callsOf returns the calls in a file in the notation of rules, and its literals in quotes.
func callsOf(file *ast.File) []string {
	imported := map[string]bool{}
	for _, spec := range file.Imports {
		if spec.Name != nil {
			imported[spec.Name.Name] = true
			continue
		}
		name := strings.Trim(spec.Path.Value, `"`)
		if last := path.Base(name); len(last) == 2 && last[0] == 'v' { // a major version is not part of the name
			name = path.Dir(name)
		}
		imported[path.Base(name)] = true
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr: // of a method; without the call it may be a field
			if method, ok := n.Fun.(*ast.SelectorExpr); ok {
				all = append(all, "."+method.Sel.Name)
			}
		case *ast.SelectorExpr: // a function that is passed on counts as well
			if pkg, ok := n.X.(*ast.Ident); ok && imported[pkg.Name] {
				all = append(all, pkg.Name+"."+n.Sel.Name)
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				all = append(all, n.Value)
			}
		}
		return true
	})
	return all
}

// eachFile calls do with each Go file of the module that is no test, and that is not for tests alone.
func eachFile(t *testing.T, do func(path string, file *ast.File)) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if strings.HasSuffix(d.Name(), "test") { // such as machinetest
				return filepath.SkipDir
			}
			return skipped(path, d.Name())
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		files++
		do(filepath.ToSlash(path), file)
		return nil
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files: %v", files, err)
	}
}

func TestCarefulCode(t *testing.T) {
	used := map[string]map[string]bool{}
	table := rules()
	eachFile(t, func(path string, file *ast.File) {
		calls := callsOf(file)
		for name, r := range table {
			at := slices.IndexFunc(calls, func(c string) bool { return slices.Contains(r.calls, c) })
			if at < 0 || slices.ContainsFunc(r.homes, func(home string) bool { return under(filepath.ToSlash(filepath.Dir(path)), home) }) {
				continue
			}
			base := filepath.Base(path)
			if r.reasons[base] == "" {
				t.Errorf("%s: %s: call %s, or give a reason in this test", path, calls[at], r.instead)
			}
			if used[name] == nil {
				used[name] = map[string]bool{}
			}
			used[name][base] = true
		}
	})
	for name, r := range table {
		for base := range r.reasons {
			if !used[name][base] {
				t.Errorf("rule %q has a reason for %s, which needs none any more", name, base)
			}
		}
	}
}

// TestEachStoreSurvives checks that for each file that a command reads again, a test tries a full disk and a kill.
func TestEachStoreSurvives(t *testing.T) {
	const rewritten = "each start writes it anew, and only programs of that start read it"
	// The tests of package storetest by the files that store something, or the reason why one does not need any.
	survive := map[string]string{
		"deploy/notifications/store.go": "deploy/notifications TestStoreSurvives", "chaos/fault/note.go": "chaos/fault TestNotesSurvive",
		"chaos/session/folder.go": "chaos/session TestRunningDrillSurvives", "chaos/session/results.go": "chaos/session TestJournalsSurvive",
		"chaos/game/store.go": "chaos/game TestStoreSurvives", "internal/machine/capacity.go": "internal/machine TestCapacitySurvives",
		"deploy/stack/state.go": "deploy/stack TestRecordSurvives", "deploy/stack/members.go": "deploy/stack TestLaunchedSupervisorSurvives",
		"deploy/stack/compose.go":          "deploy/stack TestSecretsSurvive",
		"apps/internal/storage/storage.go": "apps/internal/storage TestFileSurvives",

		"deploy/stack/stack.go": "an output of a program", "chaos/session/load.go": "an output of a program",
		"deploy/config/config.go": rewritten, "deploy/compose/settings.go": rewritten, "deploy/capacity/samples.go": rewritten,
		"cmd/firedrill/loadscrape.go": rewritten,
	}
	writes := []string{"private.WriteFile", "private.Write", "private.Append", "private.Create", "sql.OpenDB"}
	tests := testsOf(t)
	found := map[string]bool{}
	eachFile(t, func(path string, file *ast.File) {
		if !slices.ContainsFunc(callsOf(file), func(c string) bool { return slices.Contains(writes, c) }) {
			return
		}
		if under(path, "telemetry") {
			return // it opens what others store
		}
		found[path] = true
		if survive[path] == "" {
			t.Errorf("%s stores something: say which test of package storetest tries it", path)
		}
	})
	for path, name := range survive {
		if !found[path] {
			t.Errorf("%s stores nothing any more", path)
		}
		if folder, test, ok := strings.Cut(name, " Test"); ok && !tests[folder]["Test"+test] {
			t.Errorf("%s: no test %q calls storetest.Survives", path, name)
		}
	}
}

// testsOf returns the names of the tests that call storetest.Survives, by folder.
func testsOf(t *testing.T) map[string]map[string]bool {
	t.Helper()
	all := map[string]map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipped(path, d.Name())
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !slices.Contains(callsOf(&ast.File{Name: file.Name, Imports: file.Imports, Decls: []ast.Decl{f}}), "storetest.Survives") {
				continue
			}
			folder := filepath.ToSlash(filepath.Dir(path))
			if all[folder] == nil {
				all[folder] = map[string]bool{}
			}
			all[folder][f.Name.Name] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCallsOf checks that calls are found in any form.
func TestCallsOf(t *testing.T) {
	const source = `package p
import ("os"; "syscall"; "golang.org/x/sys/unix")
func f(p *os.Process) {
	syscall.Kill(1, 9)
	kill := unix.Kill
	p.Signal(nil)
	defer os.MkdirAll("unix", 0)
	kill(1, 2)
}`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, call := range callsOf(file) {
		got[call] = true
	}
	for _, want := range []string{"syscall.Kill", "unix.Kill", ".Signal", "os.MkdirAll", `"unix"`} {
		if !got[want] {
			t.Errorf("%s was not found among %v", want, slices.Sorted(maps.Keys(got)))
		}
	}
}
