# The licences of npm dependencies: from package-lock.json when it tells them, else from the installed packages. Of other
# ecosystems only how many dependencies the manifests declare, for they do not say under which licence.

# Lines "<licence><tab><package>", from a lock file of npm 7 or later, which is always written one member a line.
# The indentation tells a package's own licence from a dependency that is called "license".
licences_of_lock() {
  awk '
    function indent() { match($0, /^[ \t]*/); return RLENGTH }
    function flush() { if (name != "" && !link) printf "%s\t%s\n", licence == "" ? "unknown" : licence, name; name = "" }
    function value() { sub(/^[^:]*:[ \t]*"/, ""); sub(/",?[ \t]*$/, ""); return $0 }
    /^[ \t]*"([^"]*\/)?node_modules\/[^"]*": \{/ {
      flush()
      name = $0
      sub(/": \{.*/, "", name); sub(/.*node_modules\//, "", name)
      outer = indent(); inner = 0; licence = ""; link = 0
      next
    }
    name == "" { next }
    indent() <= outer { flush(); next }
    !inner { inner = indent() }
    indent() != inner { next }
    /^[ \t]*"link": true/ { link = 1 }
    /^[ \t]*"license": "/ { licence = value() }
    END { flush() }' package-lock.json
}

licence_of_file='
  function flush() { if (file != "") printf "%s\t%s\n", licence, name }
  FNR == 1 { flush(); file = FILENAME; licence = "unknown"; name = file; sub(/^.*node_modules\//, "", name); sub(/\/package.json$/, "", name) }
  licence == "unknown" && match($0, /"license"[ \t]*:[ \t]*"[^"]*"/) {
    licence = substr($0, RSTART, RLENGTH)
    sub(/^"license"[ \t]*:[ \t]*"/, "", licence); sub(/"$/, "", licence)
  }
  END { flush() }'

licences_of_modules() {
  for file in node_modules/*/package.json node_modules/@*/*/package.json; do
    if [ -f "$file" ] && [ -r "$file" ]; then printf '%s\0' "$file"; fi
  done >"$tmp/packages"
  [ ! -s "$tmp/packages" ] || xargs -0 awk "$licence_of_file" <"$tmp/packages"
}

if [ -f package.json ] && [ -r package.json ]; then
  echo "own $(awk "$licence_of_file" package.json | cut -f 1)"
fi
origin=none
: >"$tmp/licences"
if [ -f package-lock.json ] && grep -q '"license": "' package-lock.json; then
  origin=package-lock.json
  licences_of_lock >"$tmp/licences"
elif [ -d node_modules ]; then
  origin=node_modules
  licences_of_modules >"$tmp/licences"
fi
echo "origin $origin"
sort -u "$tmp/licences" | awk -F '\t' '
  { total++; count[$1]++; if ($1 == "unknown" && ++unknown <= 20) print "unknown " $2 }
  END { printf "packages %d\n", total; for (licence in count) printf "licence %d %s\n", count[licence], licence }'

manifest() {
  if [ -f "$1" ] && [ -r "$1" ]; then echo "manifest $(awk "$2"' { n++ } END { print n + 0 }' "$1") $1"; fi
}
manifest go.mod '/^[ \t]*(require[ \t]+)?[a-z0-9.-]+\.[a-z]+\/[^ ]* v[0-9]/'
manifest Cargo.lock '/^\[\[package\]\]/'
manifest requirements.txt '/^[A-Za-z0-9]/'
