# What tools/demo and tools/test share; read with `. tools/common.sh` from the project's root.

# Packages of Debian and Ubuntu: the libraries that the system modules name, the font of the figures, and what
# linking needs.
packages=(libomp-dev libcairo2-dev libpng-dev libturbojpeg0-dev zlib1g-dev fonts-dejavu-core pkg-config binutils libc6-dev)

fail() {
    printf '\nerror: %s\n' "$1" >&2
    shift
    [ $# -eq 0 ] || printf '%s\n' "$@" >&2
    exit 1
}

# A heading over each step, and what the last one took.
step_name=
step_from=0
step() {
    step_end
    step_name=$1
    step_from=$SECONDS
    printf '\n=== %s\n' "$1"
}
step_end() {
    [ -z "$step_name" ] || printf -- '--- %s: %d s\n' "$step_name" $((SECONDS - step_from))
    step_name=
}

# Installs the packages that are missing, as root or through sudo.
install_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This is not Debian or Ubuntu. Needed: libomp, cairo, libpng, libturbojpeg and zlib with their headers, pkg-config,"
        echo "and libomp.so.5 where the linker looks."
        return
    fi
    local missing=() package
    for package in "${packages[@]}"; do
        [[ $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) == *"ok installed"* ]] || missing+=("$package")
    done
    if [ ${#missing[@]} -eq 0 ]; then
        echo "system packages: all there"
        return
    fi
    local prefix=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "packages are missing and there is no sudo" \
            "Run this as root, then try again:" "    apt-get update && apt-get install ${missing[*]}"
        prefix=(sudo)
    fi
    echo "installing ${missing[*]}"
    "${prefix[@]}" apt-get update -q || fail "apt-get update failed"
    "${prefix[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" ||
        fail "the packages could not be installed" "    apt-get install ${missing[*]}"
}

# Checks that there is a Swift toolchain that is new enough; says how to get one otherwise.
require_swift() {
    local environment=${SWIFTLY_HOME_DIR:-${HOME:-/root}/.local/share/swiftly}/env.sh version
    # A toolchain that swiftly has installed is on the path of new shells only.
    # shellcheck disable=SC1090
    if ! command -v swift >/dev/null && [ -r "$environment" ]; then . "$environment"; fi
    local advice=(
        "Install it with swiftly, as swift.org says, and run this again:"
        ""
        "    curl -O https://download.swift.org/swiftly/linux/swiftly-\$(uname -m).tar.gz && \\"
        "    tar zxf swiftly-\$(uname -m).tar.gz && \\"
        "    ./swiftly init --quiet-shell-followup && \\"
        "    . \"\${SWIFTLY_HOME_DIR:-\$HOME/.local/share/swiftly}/env.sh\" && \\"
        "    hash -r"
        ""
        "swiftly names the system packages that the toolchain itself needs. Other ways: https://www.swift.org/install/linux"
    )
    command -v swift >/dev/null || fail "there is no Swift toolchain on this machine" "${advice[@]}"
    version=$(swift --version 2>/dev/null |
        awk '!seen && match($0, /Swift version [0-9.]+/) { seen = 1; print substr($0, RSTART + 14, RLENGTH - 14) }')
    [ -n "$version" ] || fail "swift --version does not answer with a version" "${advice[@]}"
    if [ "$(printf '6.2\n%s\n' "$version" | sort -V | head -n 1)" != 6.2 ]; then
        fail "Swift $version is too old; 6.2 or newer is needed" "${advice[@]}"
    fi
    echo "Swift $version, $(nproc) CPUs"
}
