# Lines with the words TODO and FIXME: how many, and the first 50 of them.
list_files
sort_by_kind <"$tmp/list"

# grep ends with 1 where it finds nothing, and xargs passes that on; /dev/null keeps an empty list from meaning stdin.
cat "$tmp/regular" "$tmp/odd" | xargs -0 grep -nIHw --null -e TODO -e FIXME /dev/null >"$tmp/found" || :

# The NUL that ends the name becomes the unit separator. A line without one is a name's part before a line break.
tr '\0' '\037' <"$tmp/found" | awk '
  !index($0, "\037") { name = name $0 "\\n"; next }
  {
    at = index($0, "\037")
    name = name substr($0, 1, at - 1)
    rest = substr($0, at + 1)
    at = index(rest, ":")
    text = substr(rest, at + 1)
    if (text ~ /(^|[^A-Za-z0-9_])TODO([^A-Za-z0-9_]|$)/) todo++
    if (text ~ /(^|[^A-Za-z0-9_])FIXME([^A-Za-z0-9_]|$)/) fixme++
    sub(/^[ \t]+/, "", text)
    if (++shown <= 50) printf "note %d\037%s\037%s\n", substr(rest, 1, at - 1), substr(name, 3), substr(text, 1, 300)
    name = ""
  }
  END { printf "todo %d\nfixme %d\nlines %d\n", todo, fixme, shown }'
