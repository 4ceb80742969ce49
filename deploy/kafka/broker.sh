#!/usr/bin/env bash
# A real one-node Apache Kafka (KRaft) without Docker, from the jars of Maven Central. For people:
#
#   deploy/kafka/broker.sh start [PORT]   start in the background (default port 9092), print the bootstrap address
#   deploy/kafka/broker.sh stop           stop it; its data stay under target/kafka/data
#   deploy/kafka/broker.sh wipe           stop it and delete its data
#   deploy/kafka/broker.sh obtain         only fetch the jars into target/kafka/libs (done once; start does it too)
#
# For the tests: broker.sh run DATA_DIR PORT CONTROLLER_PORT becomes the broker, in the foreground.
# It listens on 127.0.0.1 only and needs Java 17 or newer and, for the first fetch, Maven.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
home=${SHIFTPULSE_KAFKA_HOME:-${CARGO_TARGET_DIR:-$root/target}/kafka}
libs=$home/libs
heap=${SHIFTPULSE_KAFKA_HEAP:-512m}

die() { echo "broker.sh: $*" >&2; exit 1; }

need() {
  command -v "$1" >/dev/null || die "$1 is missing: install $2 (Debian, Ubuntu: sudo apt-get install $2)"
}

# The jars count as present only when the stamp of this very pom.xml stands beside them: a half copy is fetched again.
obtain() {
  need java default-jre-headless
  local stamp; stamp=$(cksum <"$here/pom.xml")
  [ "$(cat "$libs/.pom" 2>/dev/null)" = "$stamp" ] && return
  need mvn maven
  mkdir -p "$home"
  exec 9>"$home/.lock"
  flock 9
  [ "$(cat "$libs/.pom" 2>/dev/null)" = "$stamp" ] && { exec 9>&-; return; }
  echo "broker.sh: fetching Apache Kafka from Maven Central into $libs (45 MB, once)" >&2
  rm -rf "$libs"
  local log=$home/maven.log
  mvn -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$libs" >"$log" 2>&1 || { tail -20 "$log" >&2; die "Maven could not fetch Kafka (whole log: $log)"; }
  echo "$stamp" >"$libs/.pom"
  exec 9>&-
}

# Sixteen random bytes in URL-safe base 64, as StorageTool random-uuid makes them, without starting a JVM for it.
cluster_id() {
  printf 'A%s' "$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | cut -c 2-22)"
}

configure() {
  local data=$1 port=$2 controller=$3
  mkdir -p "$data"
  {
    cat "$here/server.properties"
    echo "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller"
    echo "advertised.listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller"
    echo "controller.quorum.voters=1@127.0.0.1:$controller"
    echo "log.dirs=$data/log"
  } >"$data/server.properties"
  [ -f "$data/log/meta.properties" ] ||
    java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.configurationFile="$here/log4j2.properties" -cp "$libs/*" \
      kafka.tools.StorageTool format --cluster-id "$(cluster_id)" --config "$data/server.properties" >"$data/format.log" 2>&1 ||
    { cat "$data/format.log" >&2; die "Kafka could not format $data/log"; }
}

run() {
  local data=$1 port=$2 controller=$3
  obtain
  configure "$data" "$port" "$controller"
  exec java "-Xmx$heap" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.configurationFile="$here/log4j2.properties" \
    -cp "$libs/*" kafka.Kafka "$data/server.properties"
}

running() {
  local pid; pid=$(cat "$home/broker.pid" 2>/dev/null) || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q "kafka.Kafka $home/data/server.properties"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

start() {
  local port=${1:-9092}
  if running; then echo "already running at $(cat "$home/broker.address")"; return; fi
  answers "$port" && die "port $port is taken; choose another: broker.sh start PORT"
  obtain
  configure "$home/data" "$port" $((port - 1))
  nohup "${BASH_SOURCE[0]}" run "$home/data" "$port" $((port - 1)) >"$home/broker.log" 2>&1 </dev/null &
  local pid=$!
  echo "$pid" >"$home/broker.pid"
  echo "127.0.0.1:$port" >"$home/broker.address"
  for _ in $(seq 300); do
    kill -0 "$pid" 2>/dev/null || { tail -20 "$home/broker.log" >&2; die "Kafka did not start (log: $home/broker.log)"; }
    answers "$port" && { echo "127.0.0.1:$port"; return; }
    sleep 0.2
  done
  die "Kafka does not listen on port $port after 60 s (log: $home/broker.log)"
}

stop() {
  running || { echo "not running"; return; }
  local pid; pid=$(cat "$home/broker.pid")
  kill "$pid"
  for _ in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || { rm -f "$home/broker.pid" "$home/broker.address"; echo "stopped"; return; }
    sleep 0.2
  done
  kill -9 "$pid"
  echo "killed after 30 s"
}

case ${1:-} in
  start) start "${2:-}" ;;
  stop) stop ;;
  wipe) stop; rm -rf "$home/data" ;;
  obtain) obtain ;;
  run) run "$2" "$3" "$4" ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac
