package main

import (
	"path/filepath"

	"github.com/spf13/cobra"
)

// completeComponents completes the name of a component of the copy that the flags select.
func (p program) completeComponents(which *stackFlags) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		kit, err := which.stack(p)
		if err != nil || len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		var names []string
		for _, c := range kit.Components() {
			names = append(names, c.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeDrills completes the name of a drill of the repository, or of a file.
func (p program) completeDrills(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	kit, err := new(stackFlags).stack(p)
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	drills, err := drillTarget{Stack: kit, getenv: p.getenv}.drills()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	for _, d := range drills {
		names = append(names, cobra.CompletionWithDesc(d.Name, d.Title))
	}
	return names, cobra.ShellCompDirectiveDefault
}

// completeProfiles completes the path of a load profile of the repository, or of another file.
func (p program) completeProfiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return p.repositoryFiles("loadgen/profiles/*.yaml"), cobra.ShellCompDirectiveDefault
}

// repositoryFiles returns the files that match a pattern below the repository's root, relative to the working
// directory if possible. It returns nil without a repository.
func (p program) repositoryFiles(pattern string) []string {
	root, err := p.root()
	if err != nil {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
	if err != nil {
		return nil
	}
	here, err := filepath.Abs(".")
	if err != nil {
		return files
	}
	for i, file := range files {
		if relative, err := filepath.Rel(here, file); err == nil && filepath.IsLocal(relative) {
			files[i] = relative
		}
	}
	return files
}
