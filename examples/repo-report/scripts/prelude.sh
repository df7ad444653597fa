# Every script of repo-report begins with this. The sandbox has the directory, read-only, at /repo.
#
# POSIX sh, plus the NUL options that GNU, BSD and busybox tools share: a file name may hold anything but NUL and "/",
# so lists of names are NUL-terminated, and no name ever becomes part of a command line as text.
set -eu
export LC_ALL=C
cd "${REPO_REPORT_DIRECTORY:-/repo}"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Git refuses a repository of another owner, which is what a sandbox's user sees; and it must not write to it.
export HOME="$tmp" GIT_OPTIONAL_LOCKS=0
printf '[safe]\n\tdirectory = *\n' >"$HOME/.gitconfig"
if [ "$(git rev-parse --is-inside-work-tree 2>/dev/null || :)" = true ]; then source=git; else source=find; fi

# Writes the names of all files into $tmp/list: what git tracks, or everything but what tools keep for themselves.
# In order and each once, so that every task sees the same list. $tmp/unlisted says which directories cannot be read.
# (Not find | sort: a pipe hides the failure of what stands before it.)
list_files() {
  : >"$tmp/unlisted"
  if [ "$source" = git ]; then
    git ls-files -z >"$tmp/unsorted"
  else
    find . -type d \( -name .git -o -name .hg -o -name .svn -o -name .astra -o -name node_modules \) -prune \
      -o \( -type f -o -type l \) -print0 >"$tmp/unsorted" 2>"$tmp/unlisted" || [ -s "$tmp/unlisted" ]
  fi
  sort -zu "$tmp/unsorted" >"$tmp/list"
}

# A value that tells whether the list has changed.
checksum_of_list() {
  cksum <"$tmp/list" | tr ' ' -
}

# Sorts the names on stdin into the lists regular, odd (regular, but with a line break in the name), symlinks, absent
# (deleted, or the directory of a submodule) and unreadable of $tmp. Starts no process for a file: 20,000 take a moment.
# Each name gets "./" in front, so that none looks like an option.
sort_by_kind() {
  for kind in regular odd symlinks absent unreadable; do : >"$tmp/$kind"; done
  xargs -0 sh -c '
    lf="
"
    for name; do
      file="./${name#./}"
      if [ -L "$file" ]; then kind=symlinks
      elif [ ! -f "$file" ]; then kind=absent
      elif [ ! -r "$file" ]; then kind=unreadable
      else
        case "$file" in
          *"$lf"*) kind=odd ;;
          *) kind=regular ;;
        esac
      fi
      printf "%s\0" "$file" >>"$0/$kind"
    done' "$tmp"
}

# How many names a list has.
count() {
  tr -cd '\0' <"$tmp/$1" | wc -c | tr -d ' '
}

