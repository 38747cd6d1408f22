# Reads a settings file with the values that Docker Compose takes from it: quotes, escapes, comments,
# $NAME and ${NAME:-default}. The environment comes before the file for these, as with Compose.
#   LC_ALL=C awk -v of=NAME -f settings.awk <.env    the value of NAME; without of=, every name
# Prints one sentence and ends with 1 where Compose cannot read the file, or would read it otherwise.

{ text = text $0 "\n" }

END {
    sub(/^\357\273\277/, "", text)
    rest = text
    while (next_statement()) {
        name = take_name()
        if (!bare) {
            values[name] = take_value()
        } else if (is_set(name)) {
            values[name] = lookup(name)
        }
    }
    if (of != "") {
        printf "%s", values[of]
    } else {
        for (name in values) print name
    }
}

function refuse(why) {
    number = split(substr(text, 1, length(text) - length(rest)) "x", lines, "\n")
    printf "line %d %s.\n", number, why
    exit 1
}

function next_statement() {
    while (match(rest, /^([ \t\n\v\f\r]+|#[^\n]*\n)/)) rest = substr(rest, RLENGTH + 1)
    return rest != ""
}

# Up to = or :, as in YAML; a name alone on its line takes its value from the environment.
function take_name(    found) {
    sub(/^export[ \t\f\r]+/, "", rest)
    match(rest, /[=:\n]/)
    found = substr(rest, 1, RSTART - 1)
    sub(/[ \t\v\f\r]+$/, "", found)
    if (found !~ /^[A-Za-z0-9_.-]+$/) refuse("is no setting of the form NAME=VALUE")
    bare = substr(rest, RSTART, 1) == "\n"
    # At the end of a file Compose takes it only where its line ends, which awk cannot know.
    if (bare && RSTART == length(rest)) refuse("is no setting of the form NAME=VALUE")
    rest = substr(rest, RSTART + 1)
    return found
}

function take_value(    quote, found, end, one) {
    sub(/^[ \t\v\f\r]+/, "", rest)
    quote = substr(rest, 1, 1)
    if (quote != "'" && quote != "\"") {
        end = index(rest, "\n")
        found = substr(rest, 1, end - 1)
        if (index(found, " #")) found = substr(found, 1, index(found, " #") - 1)
        sub(/[ \t\v\f\r]+$/, "", found)
        if (is_odd(substr(found, 1, 2)) || is_odd(substr(found, length(found) - 1)) || is_odd(substr(found, length(found) - 2)))
            refuse("has an unusual space at an end of the value: put the value between single quotes")
        found = expand(found)
        rest = substr(rest, end + 1)
        return found
    }
    for (end = 2; (one = substr(rest, end, 1)) != quote; end++) {
        if (one == "") refuse("has a quote that does not close")
        if (one == "\\") {
            # Of a quote it takes the meaning; before all else it stays.
            one = substr(rest, ++end, 1)
            if (one != quote) found = found "\\"
        }
        found = found one
    }
    if (quote == "\"") found = expand(unescape(found))
    rest = substr(rest, end + 1)
    return found
}

# Spaces beyond ASCII, in UTF-8: Compose takes some of them away, too.
function is_odd(bytes) {
    return bytes != "" && index(" \302\205 \302\240 \341\232\200 \342\200\200 \342\200\201 \342\200\202 " \
        "\342\200\203 \342\200\204 \342\200\205 \342\200\206 \342\200\207 \342\200\210 \342\200\211 " \
        "\342\200\212 \342\200\250 \342\200\251 \342\200\257 \342\201\237 \343\200\200 ", " " bytes " ")
}

function unescape(left,    found, one) {
    while (match(left, /\\[abfnrtv$"\\0]/)) {
        found = found substr(left, 1, RSTART - 1)
        one = substr(left, RSTART + 1, 1)
        left = substr(left, RSTART + 2)
        if (one == "0") refuse("has \\0 in double quotes: put the value between single quotes")
        else if (one == "a") one = "\a"
        else if (one == "b") one = "\b"
        else if (one == "f") one = "\f"
        else if (one == "n") one = "\n"
        else if (one == "r") one = "\r"
        else if (one == "t") one = "\t"
        else if (one == "v") one = "\v"
        else if (one == "$") one = "$$"
        found = found one
    }
    return found left
}

function is_set(name) {
    return (name in ENVIRON) || (name in values)
}
function lookup(name) {
    return (name in ENVIRON) ? ENVIRON[name] : (name in values) ? values[name] : ""
}

function expand(left,    found, at, all, end, name, operator, word) {
    while (at = index(left, "$")) {
        found = found substr(left, 1, at - 1)
        left = substr(left, at + 1)
        if (left ~ /^\$/) {
            found = found "$"
            left = substr(left, 2)
        } else if (match(left, /^[A-Za-z_][A-Za-z0-9_]*/)) {
            found = found lookup(substr(left, 1, RLENGTH))
            left = substr(left, RLENGTH + 1)
        } else if (left !~ /^\{/) {
            found = found "$"
        } else if (match(left, /^\{[A-Za-z_][A-Za-z0-9_]*\}/)) {
            found = found lookup(substr(left, 2, RLENGTH - 2))
            left = substr(left, RLENGTH + 1)
        } else if (match(left, /^\{[A-Za-z_][A-Za-z0-9_]*:?[-+?][^\n]*\}/)) {
            all = substr(left, 1, RLENGTH)
            end = closing(all)
            if (!end) end = RLENGTH
            left = substr(left, end + 1)
            all = substr(all, 2, end - 2)
            match(all, /^[A-Za-z0-9_]*/)
            name = substr(all, 1, RLENGTH)
            operator = substr(all, RLENGTH + 1, (substr(all, RLENGTH + 1, 1) == ":") + 1)
            word = expand(substr(all, RLENGTH + length(operator) + 1))
            at = is_set(name) && (operator !~ /:/ || lookup(name) != "")
            if (operator ~ /\?/ && !at) refuse("needs " name ", which is not set")
            found = found (operator ~ /\+/ ? (at ? word : "") : operator ~ /-/ && !at ? word : lookup(name))
        } else {
            refuse("has ${ that is no ${NAME}: put the value between single quotes")
        }
    }
    return found left
}

# Where the first brace closes, as Compose counts: the character after an opening one is not looked at.
function closing(all,    i, open, one) {
    for (i = 1; i <= length(all); i++) {
        one = substr(all, i, 1)
        if (one == "}" && --open == 0) return i
        if (one == "{") {
            open++
            i++
        }
    }
    return 0
}
