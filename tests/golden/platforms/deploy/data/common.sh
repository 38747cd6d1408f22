# shellcheck shell=sh disable=SC2034,SC2154
# What the scripts for backups share; read after common.sh, not run by itself.
umask 077
# What is backed up. Each has a script in deploy/data/, which runs in its container.
kept='chroma mongodb postgres redis' services='chroma mongodb postgres redis'
paused='chroma' stopped='chroma redis'

backups=$(setting BACKUP_DIR deploy/backups)/$project
keep_days=$(setting BACKUP_KEEP_DAYS 14)
min_free=$(setting BACKUP_MIN_FREE_MB 512)
# An older backup than that is not well.
max_age_days=$(number BACKUP_MAX_AGE_DAYS 2)
case $keep_days in '' | *[!0-9]*) fail "BACKUP_KEEP_DAYS must be a number of days." ;; esac
case $min_free in '' | *[!0-9]*) fail "BACKUP_MIN_FREE_MB must be a number." ;; esac

# Whether a word is in a list.
among() {
    case " $2 " in *" $1 "*) ;; *) return 1 ;; esac
}

# Size and count of what is kept.
measure() {
    if [ "$1" = uploads ]; then beside "$@"; else inside "$@"; fi </dev/null
}

# Names of the whole backups, the oldest first: by the numbers in their manifests, as a clock may have
# been wrong. A folder that has another form is none of ours.
list_backups() {
    for folder in "$backups"/[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]Z; do
        [ ! -f "$folder/SHA256SUMS" ] || ! grep -qx "project $project" "$folder/manifest" 2>/dev/null ||
            echo "$(sequence_of "$folder") ${folder##*/}"
    done | sort -k 1,1n -k 2,2 | cut -d ' ' -f 2
}
# Backups of earlier versions of these scripts have no number.
sequence_of() {
    told "$1" sequence | awk '{ last = $1 + 0 } END { print last + 0 }'
}

# When a backup was made, by the clock of then: seconds since 1970.
time_of() {
    date -u -d "$(echo "$1" | sed 's/\(....\)\(..\)\(..\)-\(..\)\(..\)\(..\)Z/\1-\2-\3 \4:\5:\6/')" +%s 2>/dev/null || echo 0
}

# The same without those that a restore made of what it was about to replace: brought back, they would
# bring the accident back.
list_ordinary_backups() {
    for name in $(list_backups); do
        case $(told "$backups/$name" reason) in 'before restore'*) ;; *) echo "$name" ;; esac
    done
}

# Those of the newest days that have one: list_newest_days DAYS
list_newest_days() {
    list_backups | awk -v days="$1" '{ name[NR] = $0 }
        END { for (i = NR; i && (count += !seen[substr(name[i], 1, 8)]++) <= days; i--) print name[i] }'
}

# The folder of a backup that is named, by its own name, by "latest" or by a path.
find_backup() {
    case $1 in
        latest) name=$(list_ordinary_backups | tail -n 1) && backup=$backups/$name ;;
        */*) name=$1 backup=${1%/} ;;
        *) name=$1 backup=$backups/$1 ;;
    esac
    if [ -z "$name" ]; then
        [ -z "$(list_backups)" ] || fail "Restores made all backups that there are: name one of sh $(dirname -- "$0")/restore.sh$options --list"
        fail "There is no backup in $backups yet: sh $(dirname -- "$0")/backup.sh$options"
    fi
    [ -d "$backup" ] || fail "There is no backup $name: sh $(dirname -- "$0")/restore.sh$options --list"
}

# Whole and unchanged: every file is there, listed, and has its checksum.
verify() {
    command -v sha256sum >/dev/null || fail "sha256sum is missing: install it (coreutils)."
    [ -f "$1/SHA256SUMS" ] && [ -f "$1/manifest" ] || fail "$1 is not a whole backup; nothing was changed."
    for file in "$1"/*; do
        file=$(basename "$file")
        [ "$file" = SHA256SUMS ] || grep -q "^[0-9a-f]\{64\}  $file\$" "$1/SHA256SUMS" ||
            fail "The backup $1 is damaged: $file has no checksum. Nothing was changed."
    done
    damaged=$(cd "$1" && sha256sum --check --quiet --strict SHA256SUMS 2>&1) ||
        fail "The backup $1 is damaged: $(echo "$damaged" | head -n 1). Nothing was changed."
}

# What a manifest tells of one thing: told FOLDER FIRST-WORD
told() {
    sed -n "s/^$2 //p" "$1/manifest"
}

free_kb() {
    df -Pk "$1" | awk 'NR == 2 { print $4 }'
}
