# Prints the error of the original for an invalid k0s configuration and exits with 1. Used by both k0s stand-ins.
# Variable "prefix": text before errors of the decoder. Supports flow style and block style, but no anchors.
function fail(text) { if (!failed) print "Error: " prefix "error unmarshaling JSON: while decoding JSON: json: " text > "/dev/stderr"; failed = 1; exit 1 }
function invalid(text) { late = late (late == "" ? "Error: " : "\n") text }
function bad_value(field, v, what) { invalid("spec: " field ": Invalid value: \"" v "\": " what) }
function is_address(v,  p) {
  if (v ~ /^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/) return 1
  return v ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/ && split(v, p, ".") == 4 && p[1] < 256 && p[2] < 256 && p[3] < 256 && p[4] < 256
}
function is_network(v,  p) { return split(v, p, "/") == 2 && p[2] ~ /^[0-9]+$/ && is_address(p[1]) && p[2] <= (p[1] ~ /:/ ? 128 : 32) }
function key(path, k) {
  if ((path in known) && index(" " known[path] " ", " " k " ") == 0) fail("unknown field \"" k "\"")
  if (path == "spec.workerProfiles[].values" && k ~ /^(clusterDNS|clusterDomain|apiVersion|kind|staticPodURL)$/)
    invalid("spec: workerProfiles: field `" k "` is prohibited to override in worker profile")
}
function value(path, v, quoted,  type, p) {
  type = quoted ? "string" : v ~ /^(true|false)$/ ? "bool" : v ~ /^-?[0-9.]+$/ ? "number" : "string"
  if (path ~ /^spec\.[a-zA-Z]+\.extraArgs\./ && type != "string") {
    split(path, p, ".")
    fail("cannot unmarshal " type " into Go struct field " struct[p[2]] ".spec." p[2] ".extraArgs of type string")
  }
  if (path == "spec.telemetry.enabled" && type != "bool") fail("cannot unmarshal " type " into Go struct field ClusterTelemetry.spec.telemetry.enabled of type bool")
  if (path ~ /^spec\.network\.(podCIDR|serviceCIDR)$/ && !is_network(v)) { split(path, p, "."); bad_value("network: " p[3], v, "invalid CIDR address") }
  if (path == "spec.api.address" && !is_address(v)) bad_value("api: address", v, "invalid IP address")
  if (path == "spec.api.externalAddress" && v != "" && !is_address(v) && v !~ /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/) bad_value("api: externalAddress", v, "invalid IP address / DNS name")
  if (path == "spec.network.provider" && v !~ /^(kuberouter|calico|custom)$/)
    invalid("spec: network: provider: Unsupported value: \"" v "\": supported values: \"kuberouter\", \"calico\", \"custom\"")
  if (path == "spec.network.kubeProxy.mode" && v !~ /^(iptables|ipvs|userspace)$/) invalid("spec: network: unsupported mode " v " for kubeProxy config")
}
function space() { while (substr(text, at, 1) ~ /[ \t]/) at++ }
function scalar(end,  c, from) {
  c = substr(text, at, 1)
  word_quoted = c == "\"" || c == "\047"
  if (word_quoted) {
    from = ++at
    while (at <= length(text) && substr(text, at, 1) != c) at++
    return substr(text, from, at++ - from)
  }
  from = at
  while (at <= length(text) && index(end, substr(text, at, 1)) == 0) at++
  c = substr(text, from, at - from)
  sub(/ +$/, "", c)
  return c
}
function flow(path,  k, c) {
  space()
  c = substr(text, at, 1)
  if (c != "{" && c != "[") { k = scalar(",}]"); value(path, k, word_quoted); return }
  at++
  for (space(); index("}]", substr(text, at, 1)) == 0; space()) {
    if (c == "[") flow(path "[]")
    else {
      k = scalar(":,}")
      key(path, k)
      space()
      if (substr(text, at, 1) == ":") { at++; flow(path (path == "" ? "" : ".") k) }
    }
    space()
    if (substr(text, at, 1) == ",") at++
  }
  at++
}
BEGIN {
  known[""] = "apiVersion kind metadata spec status"
  known["spec"] = "api controllerManager scheduler storage network workerProfiles telemetry installConfig images extensions konnectivity featureGates"
  known["spec.api"] = "address externalAddress extraArgs k0sApiPort port sans"
  known["spec.controllerManager"] = known["spec.scheduler"] = "extraArgs"
  known["spec.workerProfiles[]"] = "name values"
  known["spec.telemetry"] = "enabled"
  known["spec.installConfig"] = "users"
  known["spec.installConfig.users"] = "etcdUser kineUser konnectivityUser kubeAPIserverUser kubeSchedulerUser"
  known["spec.konnectivity"] = "adminPort agentPort"
  known["spec.extensions"] = "storage helm"
  known["spec.extensions.storage"] = "type create_default_storage_class"
  known["spec.extensions.helm"] = "concurrencyLevel repositories charts"
  known["spec.featureGates[]"] = "name enabled components"
  struct["api"] = "APISpec"; struct["controllerManager"] = "ControllerManagerSpec"; struct["scheduler"] = "SchedulerSpec"
}
/^ *(#|$)/ || /^---/ { next }
{
  match($0, /^ */)
  indent = RLENGTH
  text = substr($0, indent + 1)
  while (text ~ /^- /) {
    while (depth > 0 && (indents[depth] > indent || (indents[depth] == indent && items[depth]))) depth--
    path = (depth > 0 ? paths[depth] : "") "[]"
    depth++; indents[depth] = indent; items[depth] = 1; paths[depth] = path
    match(text, /^- +/)
    indent += RLENGTH
    text = substr(text, RLENGTH + 1)
  }
  while (depth > 0 && indents[depth] >= indent) depth--
  path = depth > 0 ? paths[depth] : ""
  at = 1
  if (text ~ /^[{[]/) { flow(path); next }
  if (text !~ /^("[^"]*"|[^:"]+):( |$)/) { value(path, text, 0); next }
  k = scalar(":")
  key(path, k)
  path = path (path == "" ? "" : ".") k
  at++
  space()
  if (at > length(text)) { depth++; indents[depth] = indent; items[depth] = 0; paths[depth] = path }
  else flow(path)
}
END { if (!failed && late != "") { print late > "/dev/stderr"; exit 1 } }
