# Sourced by up, down and test: private Postgres and RabbitMQ in a folder of their own, on ports of their own.
# Nothing here starts, stops or configures a server of the system.
# Callers set: state (the folder).

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
schemas=(offer_catalog certification publishing history notification)
services=(offer-catalog certification publishing-pipeline history notification)
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)

say() { printf '\033[1m%s\033[0m\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# The newest Postgres server installed, if it is new enough.
postgres_bin() {
  local bin
  bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -V | tail -1)
  [ -x "$bin/initdb" ] && [ "$(echo "$bin" | cut -d/ -f5)" -ge 15 ] && echo "$bin"
}
rabbitmq_server() { ls /usr/lib/rabbitmq/bin/rabbitmq-server /usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server 2>/dev/null | head -1; }

# install PACKAGE...: by apt, without letting any of them start a service of the system.
install() {
  command -v apt-get >/dev/null || die "this machine has no apt-get; install by hand: $*"
  say "Installing: $*"
  local policy=/usr/sbin/policy-rc.d mine=
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod +x $policy
    mine=1
  fi
  local failed=
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || failed=1
  [ -z "$mine" ] || "${as_root[@]}" rm -f $policy
  [ -z "$failed" ] || die "apt-get could not install: $*"
}

# What is missing of what the servers and the build need.
prerequisites() {
  command -v cargo >/dev/null || { [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"; }
  command -v cargo >/dev/null || die "cargo is not on the PATH: install a Rust toolchain first"
  local missing=()
  command -v cc >/dev/null || missing+=(gcc libc6-dev)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v curl >/dev/null || missing+=(curl ca-certificates)
  command -v setsid >/dev/null || missing+=(util-linux)
  [ -n "$(rabbitmq_server)" ] || missing+=(rabbitmq-server)
  if [ -z "$(postgres_bin)" ]; then
    # The package would make and start a cluster of the system.
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
      echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    missing+=(postgresql)
  fi
  command -v psql >/dev/null || missing+=(postgresql-client)
  [ ${#missing[@]} = 0 ] || install "${missing[@]}"
  [ -n "$(postgres_bin)" ] || die "Postgres 15 or newer is needed; this system's package is older"
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A port that nobody listens on, below the range of outgoing connections.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    port_is_free $port && { echo $port; return; }
  done
}

# remember NAME COMMAND...: the same answer in every later run.
remember() {
  local file=$state/settings/$1
  shift
  mkdir -p "$state/settings"
  [ -s "$file" ] || { (umask 077; "$@" >"$file.new") && mv "$file.new" "$file"; }
  cat "$file"
}
secret() { openssl rand -hex 16; }

# alive PIDFILE WORD: the process runs, and is what was started: WORD is in its command line. Another may have got its number.
alive() { [ -s "$1" ] && tr '\0' ' ' 2>/dev/null <"/proc/$(head -1 "$1")/cmdline" | grep -qF -- "$2"; }
# wait_for SECONDS WHAT COMMAND...
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || return 1
    sleep 0.2
  done
}

# Postgres refuses to run as root, and its own user may not be able to enter this checkout.
as_postgres() { if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); else "$@"; fi; }

postgres_folder() {
  local folder=$state/postgres
  if [ "$(id -u)" = 0 ]; then
    folder=/var/lib/marketplace-local/$(remember postgres-folder secret)
    mkdir -p "$folder" && chown postgres "$folder" && chmod 700 "$folder"
  else
    mkdir -p "$folder"
  fi
  echo "$folder"
}

# A crash of this server loses nothing but a test run; tests count statements.
start_test_postgres() { start_postgres "-c fsync=off -c shared_preload_libraries=pg_stat_statements"; }

start_postgres() { # [options]
  local bin folder
  bin=$(postgres_bin); folder=$(postgres_folder)
  postgres_port=$(remember postgres-port free_port)
  postgres_password=$(remember postgres-password secret)
  if [ ! -f "$folder/data/PG_VERSION" ]; then
    remember postgres-password secret | as_postgres tee "$folder/password" >/dev/null
    as_postgres "$bin/initdb" -D "$folder/data" -U postgres -A scram-sha-256 --pwfile="$folder/password" -E UTF8 --locale=C.UTF-8 >"$state/log/initdb.log" ||
      die "initdb failed, see $state/log/initdb.log"
    as_postgres rm "$folder/password"
    as_postgres tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
shared_buffers = 256MB
CONF
  fi
  local pid=$folder/data/postmaster.pid
  if ! alive "$pid" "$folder/data" || port_is_free "$postgres_port"; then
    as_postgres "$bin/pg_ctl" -D "$folder/data" -o "-p $postgres_port -c max_connections=700 ${1:-}" -l "$folder/log" -w -t 60 start >/dev/null ||
      die "Postgres did not start, see $folder/log"
  fi
  export PGPASSWORD=$postgres_password
  psql=(psql -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$postgres_port" -U postgres)
}

stop_postgres() {
  local folder
  folder=$(postgres_folder)
  ! alive "$folder/data/postmaster.pid" "$folder/data" || as_postgres "$(postgres_bin)/pg_ctl" -D "$folder/data" -m fast -w stop >/dev/null
}

start_rabbitmq() {
  local folder=$state/rabbitmq
  mkdir -p "$folder"
  amqp_port=$(remember amqp-port free_port)
  management_port=$(remember management-port free_port)
  rabbitmq_password=$(remember rabbitmq-password secret)
  cat >"$folder/rabbitmq.conf" <<CONF
listeners.tcp.default = 127.0.0.1:$amqp_port
management.tcp.ip = 127.0.0.1
management.tcp.port = $management_port
default_user = marketplace
default_pass = $rabbitmq_password
disk_free_limit.absolute = 100MB
log.file.level = warning
CONF
  echo '[rabbitmq_management].' >"$folder/enabled_plugins"
  rabbitmq_environment=(
    HOME="$folder" RABBITMQ_NODENAME="marketplace-$amqp_port@localhost"
    RABBITMQ_DIST_PORT="$(remember dist-port free_port)" ERL_EPMD_PORT="$(remember epmd-port free_port)" ERL_EPMD_ADDRESS=127.0.0.1
    RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOG_BASE="$folder/log" RABBITMQ_CONFIG_FILE="$folder/rabbitmq"
    RABBITMQ_PID_FILE="$folder/pid" RABBITMQ_ENABLED_PLUGINS_FILE="$folder/enabled_plugins"
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
  )
  rabbitmq_management=http://marketplace:$rabbitmq_password@127.0.0.1:$management_port
  if ! alive "$folder/pid" "$folder"; then
    env "${rabbitmq_environment[@]}" setsid "$(rabbitmq_server)" >"$state/log/rabbitmq.log" 2>&1 </dev/null &
  fi
  wait_for 60 RabbitMQ curl -fsS "$rabbitmq_management/api/overview" || die "RabbitMQ did not start, see $state/log/rabbitmq.log"
}

stop_rabbitmq() {
  local folder=$state/rabbitmq
  if alive "$folder/pid" "$folder"; then
    local pid
    pid=$(head -1 "$folder/pid")
    kill "$pid"
    wait_for 30 "RabbitMQ to stop" eval "! kill -0 $pid" || kill -9 "$pid"
  fi
  # The node leaves its port mapper behind.
  local epmd
  epmd=$(ls -d /usr/lib/erlang/erts-*/bin/epmd 2>/dev/null | head -1)
  [ -z "$epmd" ] || [ ! -s "$state/settings/epmd-port" ] || "$epmd" -port "$(cat "$state/settings/epmd-port")" -kill >/dev/null 2>&1 || true
}

# tools [PATTERN]: those of tools.txt, on the PATH of the caller.
tools() {
  local folder=$state/tools wanted
  wanted=$(grep -v "^#" "$repo/deploy/local/tools.txt" | grep "${1:-==}")
  if [ "$wanted" != "$(cat "$folder/installed" 2>/dev/null)" ]; then
    python3 -c 'import venv, ensurepip' 2>/dev/null || install python3 python3-venv
    say "Installing" ${wanted//==/ }
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/pip" install --disable-pip-version-check $wanted >"$state/log/tools.log" 2>&1 ||
      die "the tools could not be installed, see $state/log/tools.log"
    echo "$wanted" >"$folder/installed"
  fi
  export PATH=$folder/bin:$PATH
}
