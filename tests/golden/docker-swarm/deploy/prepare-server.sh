#!/bin/sh
# Prepares a fresh Debian or Ubuntu server for this stack. Read it first; then, from your machine:
#   scp deploy/prepare-server.sh root@SERVER:
#   ssh -t root@SERVER sh prepare-server.sh
# It asks before each step; a second run finds nothing to do. Or name steps, which are then done alone:
#   sh prepare-server.sh [--dry-run] [--yes] [STEP...]
#     upgrades   security updates install themselves, every night
#     swap       a file of 2 GB, where there is less memory than that and no swap
#     docker     Docker Engine and Compose, from Docker's own repository
#     logs       no container's log grows for ever, where Docker has no rule for that yet
#     user       the user deploy, with your SSH key: it may use Docker, which is as good as being root
#     firewall   nothing comes in but SSH, HTTP and HTTPS, also to ports that Docker publishes
# --yes asks nothing; --dry-run says what it would do, and does nothing.
set -eu

steps='upgrades swap docker logs user firewall' user=deploy folder=/srv/fapgrd
rules=/etc/server-firewall.nft unit=server-firewall.service

fail() {
    echo "prepare-server: $1" >&2
    exit 1
}
yes='' dry=''
while :; do
    case ${1-} in
        --yes) yes=yes ;;
        --dry-run) dry=yes ;;
        -*) fail "$1 is no option: --yes and --dry-run are." ;;
        *) break ;;
    esac
    shift
done
for step; do
    case " $steps " in *" $step "*) ;; *) fail "$step is none of the steps: $steps." ;; esac
done

# A value of the file that says which system this is.
release() {
    sed -n "s/^$1=//p" /etc/os-release 2>/dev/null | tr -d "\"'" | head -n 1
}
system=$(release ID) codename=$(release VERSION_CODENAME)
case $system in debian | ubuntu) ;; *) fail "This is ${system:-an unknown system}, and it knows Debian and Ubuntu alone." ;; esac
[ -n "$codename" ] || fail "This $system has no code name, so Docker has no repository for it."
command -v apt-get >/dev/null || fail "apt-get is missing."
[ -n "$dry" ] || [ "$(id -u)" = 0 ] || fail "It changes the system: run it as root, as in sudo sh prepare-server.sh."
[ -n "$dry$yes" ] || [ $# -gt 0 ] || [ -t 0 ] || fail "Nobody is there to ask: add --yes, or name the steps."
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

say() {
    echo "   $1"
}
# What changes something goes through these two.
run() {
    if [ -n "$dry" ]; then say "would run: $*"; else "$@"; fi
}
write() {
    if [ -n "$dry" ]; then
        say "would write $1:"
        sed 's/^/      /'
    else
        cat >"$1.new" && chmod 644 "$1.new" && mv "$1.new" "$1"
    fi
}
updated=''
install_packages() {
    [ -n "$updated" ] || run apt-get -q update
    updated=yes
    run apt-get -q install --yes --no-install-recommends "$@"
}
agreed() {
    printf '   %s [y/N] ' "$1"
    read -r answer || answer=''
    case $answer in y | Y | yes) ;; *) return 1 ;; esac
}

upgrades() {
    file=/etc/apt/apt.conf.d/20auto-upgrades
    if command -v unattended-upgrade >/dev/null && grep -q 'Unattended-Upgrade "1"' "$file" 2>/dev/null; then
        say "They do already."
        return
    fi
    install_packages unattended-upgrades
    write "$file" <<'FILE'
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
FILE
    say "Some updates need a restart of the server, which is left to you: /run/reboot-required is there then."
}

swap() {
    memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
    if [ "$(wc -l </proc/swaps)" -gt 1 ]; then
        say "There is swap already."
    elif [ "$memory" -ge 1792 ]; then
        say "There is memory enough: $memory MB."
    elif [ -e /swapfile ]; then
        say "/swapfile is there, but not in use: look at it, then swapon /swapfile."
    elif [ "$(df -Pm / | awk 'NR == 2 { print $4 }')" -lt 4096 ]; then
        say "The disk has too little room for 2 GB of swap."
    else
        # Not every file system can set space aside without writing it.
        run fallocate -l 2G /swapfile 2>/dev/null || run dd if=/dev/zero of=/swapfile bs=1M count=2048 status=none
        run chmod 600 /swapfile
        run mkswap -q /swapfile
        if ! run swapon /swapfile; then
            rm -f /swapfile
            say "This server takes no swap file."
            return
        elif ! grep -q '^/swapfile ' /etc/fstab; then
            if [ -n "$dry" ]; then say "would add /swapfile to /etc/fstab"; else echo '/swapfile none swap sw 0 0' >>/etc/fstab; fi
        fi
        [ -n "$dry" ] || say "2 GB of swap are in /swapfile, also after a restart."
    fi
}

docker_engine() {
    if command -v docker >/dev/null; then
        compose=$(docker compose version --short 2>/dev/null || true)
        [ -n "$compose" ] || fail "Docker is there, but not Compose: install its plugin (docker-compose-plugin), or remove Docker and come back."
        say "Docker is there already, with Compose $compose; it needs Engine 25 and Compose 2.24, or newer."
        return
    fi
    install_packages ca-certificates curl
    run install -d -m 755 /etc/apt/keyrings
    run curl --fail --silent --show-error --location --output /etc/apt/keyrings/docker.asc "https://download.docker.com/linux/$system/gpg" ||
        fail "Docker's key cannot be had from download.docker.com."
    run chmod a+r /etc/apt/keyrings/docker.asc
    write /etc/apt/sources.list.d/docker.sources <<FILE
Types: deb
URIs: https://download.docker.com/linux/$system
Suites: $codename
Components: stable
Architectures: $(dpkg --print-architecture)
Signed-By: /etc/apt/keyrings/docker.asc
FILE
    updated=''
    install_packages docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin
}

logs() {
    file=/etc/docker/daemon.json
    if grep -q '"log-driver"\|"log-opts"' "$file" 2>/dev/null; then
        say "Docker has a rule of its own in $file."
        return
    elif [ -e "$file" ]; then
        say "$file is there, without one: add \"log-opts\": {\"max-size\": \"10m\", \"max-file\": \"5\"}, then systemctl restart docker"
        return
    fi
    run install -d -m 755 /etc/docker
    write "$file" <<'FILE'
{"log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "5"}}
FILE
    # A restart would end what runs.
    if [ -n "$(docker ps --quiet 2>/dev/null)" ]; then
        say "Containers run: it counts for new ones, after systemctl restart docker."
    elif command -v docker >/dev/null && command -v systemctl >/dev/null; then
        run systemctl restart docker
    fi
}

deploy_user() {
    getent group docker >/dev/null || [ -n "$dry" ] || fail "There is no group docker: the step docker comes first."
    if id "$user" >/dev/null 2>&1; then
        say "$user is there already."
    else
        run useradd --create-home --shell /bin/bash "$user"
    fi
    say "Whoever is in the group docker can read and change everything on this server."
    run usermod --append --groups docker "$user"
    # Of whoever calls: the one who became root, or root itself.
    home=$(getent passwd "${SUDO_USER:-root}" | cut -d : -f 6) there=$(getent passwd "$user" | cut -d : -f 6)
    there=${there:-/home/$user}
    # Providers forbid root's login by a command in its line.
    keys=$(grep -h '^[^#]' "$home/.ssh/authorized_keys" 2>/dev/null | grep -v 'command=' || true)
    if [ -z "$keys" ]; then
        say "${SUDO_USER:-root} has no SSH key here: put yours into $there/.ssh/authorized_keys."
    elif [ -n "$dry" ]; then
        say "would add the SSH keys of ${SUDO_USER:-root} to $there/.ssh/authorized_keys"
    else
        install -d -m 700 -o "$user" -g "$user" "$there/.ssh"
        touch "$there/.ssh/authorized_keys"
        echo "$keys" | while IFS= read -r key; do
            grep -qxF -e "$key" "$there/.ssh/authorized_keys" || printf '%s\n' "$key" >>"$there/.ssh/authorized_keys"
        done
        chown "$user:$user" "$there/.ssh/authorized_keys"
        chmod 600 "$there/.ssh/authorized_keys"
    fi
    [ -e "$folder" ] || run install -d -o "$user" -g "$user" "$folder"
}

# Every port that leads to an SSH server here: of its settings, of what listens, of this connection.
ssh_ports() {
    {
        sshd -T 2>/dev/null | sed -n 's/^port //p'
        ss -Hltnp 2>/dev/null | grep -E '"(sshd|dropbear)"' | awk '{ sub(/.*:/, "", $4); print $4 }'
        systemctl show --property Listen ssh.socket 2>/dev/null | sed -n 's/.*[:=]\([0-9]\{1,\}\) (Stream).*/\1/p'
        echo "${SSH_CONNECTION-}" | awk '{ print $4 }'
    } | grep -x '[0-9]\{1,5\}' | sort -nu
}
firewall() {
    command -v systemctl >/dev/null || [ -n "$dry" ] || fail "systemd is missing, by which the firewall would come back after a restart."
    ports=$(ssh_ports)
    if [ -z "$ports" ] && command -v sshd >/dev/null; then
        fail "The port of sshd cannot be told, and nobody is to be locked out: run sshd -T as root, and mend what it says."
    fi
    ports=$(echo "${ports:-22}" | paste -s -d , - | sed 's/,/, /g')
    if command -v ufw >/dev/null && ufw status 2>/dev/null | grep -q '^Status: active'; then
        say "ufw is active and stays: what comes in has to pass both."
    fi
    say "Open: $ports for SSH; 80 and 443 (TCP), 443 (UDP)."
    command -v nft >/dev/null || install_packages nftables
    # Before Docker's own rules, which would let everybody in to the ports that it publishes.
    write "$rules" <<FILE
#!/usr/sbin/nft -f
# Made by prepare-server.sh; after a change: systemctl restart $unit
table inet server_firewall
delete table inet server_firewall
table inet server_firewall {
    chain incoming {
        type filter hook prerouting priority mangle; policy accept;
        ct state established,related accept
        iifname { "lo", "docker0", "docker_gwbridge" } accept
        iifname "br-*" accept
        iifname "veth*" accept
        fib daddr type != local accept
        meta l4proto { 1, 58 } accept comment "ICMP"
        udp dport { 68, 546 } accept comment "addresses by DHCP"
        tcp dport { $ports, 80, 443 } accept
        udp dport 443 accept
        # For a swarm of several nodes: ip saddr { ADDRESSES-OF-THE-OTHERS } accept
        drop
    }
}
FILE
    [ -n "$dry" ] || nft --check --file "$rules" || fail "The kernel does not take these rules; nothing is in force."
    write "/etc/systemd/system/$unit" <<FILE
[Unit]
Description=What may come in from outside
Wants=network-pre.target
Before=network-pre.target
DefaultDependencies=no

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f $rules
ExecStop=/usr/sbin/nft delete table inet server_firewall

[Install]
WantedBy=multi-user.target
FILE
    run nft -f "$rules"
    if [ -z "$dry$yes" ] && [ -t 0 ]; then
        agreed "It is in force. Open a second connection by SSH now: does that work?" || {
            nft delete table inet server_firewall
            fail "The firewall is off again; $rules is there to be looked at."
        }
    fi
    run systemctl daemon-reload
    run systemctl enable --quiet "$unit"
}

named=$*
for step in ${named:-$steps}; do
    echo "-- $step: $(sed -n "s/^#     $step *//p" "$0")"
    if [ -z "$dry$yes$named" ] && ! agreed 'Do it?'; then continue; fi
    case $step in
        docker) docker_engine ;;
        user) deploy_user ;;
        *) "$step" ;;
    esac
done
echo "Done.${dry:+ Nothing was changed.}"
