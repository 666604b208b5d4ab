// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// Where an upstream is reached, how that is told to be well, and whom TLS believes.
extension ConfigurationDraft {
    /// Those that can be read, and where each of them stands.
    mutating func endpoints(_ node: PolicyNode) -> ([UpstreamURL], EndpointPlaces) {
        var endpoints: [UpstreamURL] = []
        var places = EndpointPlaces()
        guard let items = items(node, max: Bounds.endpointsMax) else { return (endpoints, places) }
        guard !items.isEmpty else {
            fault(node, "at least one endpoint is needed")
            return (endpoints, places)
        }
        places.areWhole = true
        for item in items {
            guard let text = string(item) else {
                places.areWhole = false
                continue
            }
            do {
                let endpoint = try UpstreamURL(text)
                if let reason = Self.repetition(of: endpoint, in: endpoints) {
                    fault(item, reason)
                }
                endpoints.append(endpoint)
                places.nodes.append(item)
            } catch {
                fault(item, error.reason)
                places.areWhole = false
            }
        }
        return (endpoints, places)
    }

    /// The list of a variable or a flag; `nil` once an item of it is at fault.
    mutating func endpoints(_ entry: EnvironmentEntry) -> [UpstreamURL]? {
        let items = entry.text.split(separator: ",", omittingEmptySubsequences: false)
        guard items.count <= Bounds.endpointsMax else {
            fault(entry.place, "more than \(Bounds.endpointsMax) endpoints")
            return nil
        }
        let faultsBefore = faults.count
        var endpoints: [UpstreamURL] = []
        for (index, item) in items.enumerated() {
            // By its number, since a mistyped URL may hold a password.
            let subject = items.count == 1 ? "" : "endpoint \(index + 1): "
            let text = Array(item.utf8).trimmingWhiteSpace
            guard !text.isEmpty else {
                fault(entry.place, subject + "it is empty")
                continue
            }
            do {
                let endpoint = try UpstreamURL(text)
                if let reason = Self.repetition(of: endpoint, in: endpoints) {
                    fault(entry.place, subject + reason)
                }
                endpoints.append(endpoint)
            } catch {
                fault(entry.place, subject + error.reason)
            }
        }
        return faults.count == faultsBefore ? endpoints : nil
    }

    /// With and without TLS is one endpoint too: no port speaks both, and metrics name an
    /// endpoint by host and port.
    private static func repetition(
        of endpoint: UpstreamURL, in endpoints: [UpstreamURL]
    ) -> String? {
        guard let other = endpoints.first(where: { $0.place == endpoint.place }) else { return nil }
        return other.isTLS == endpoint.isTLS
            ? "the same endpoint twice" : "the same endpoint twice, with TLS and without"
    }

    /// `.some(nil)` for `null`, which says that there is none.
    mutating func healthCheck(_ node: PolicyNode) -> Configuration.HealthCheck?? {
        if node.value.isNull { return .some(nil) }
        let known = ["path", "interval", "unhealthy_after"]
        guard let object = object(node, known: known) else { return nil }
        let path = required(object, "path").flatMap { healthPath($0) }
        var check = Configuration.HealthCheck(path: path ?? "")
        assign(object["interval"], to: &check.intervalMilliseconds) {
            $0.duration($1, in: Bounds.healthInterval)
        }
        assign(object["unhealthy_after"], to: &check.unhealthyAfter) {
            $0.integer($1, in: Bounds.unhealthyAfter)
        }
        return path == nil ? nil : check
    }

    /// What can stand in a request line as it is (RFC 9112 §3.2.1): a path and perhaps a query,
    /// never a fragment.
    private mutating func healthPath(_ node: PolicyNode) -> String? {
        guard let text = string(node) else { return nil }
        let isPath =
            text.hasPrefix("/") && text.utf8.count <= Bounds.healthPathBytesMax
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        guard isPath else {
            fault(
                node,
                "must be `/` and at most \(Bounds.healthPathBytesMax - 1) more characters of "
                    + "visible ASCII without `#`")
            return nil
        }
        return text
    }

    mutating func upstreamTLS(_ node: PolicyNode) -> Configuration.UpstreamTLS? {
        let known = ["ca", "server_name", "pins_sha256"]
        guard let object = object(node, known: known) else { return nil }
        var tls = Configuration.UpstreamTLS()
        if let node = object["ca"], !node.value.isNull { tls.authorityPath = path(node) }
        if let node = object["server_name"], !node.value.isNull { tls.serverName = hostName(node) }
        if let node = object["pins_sha256"] { tls.pins = pins(node) }
        return tls
    }

    private mutating func hostName(_ node: PolicyNode) -> String? {
        guard let text = string(node) else { return nil }
        if let address = IPAddress(text) { return address.description }
        // An address in brackets is how a URL writes it, not what a certificate says.
        guard !text.hasPrefix("["), let name = SocketAddressText(host: text, port: 443) else {
            fault(node, "must be a host name or an address, without a port")
            return nil
        }
        return name.host
    }
}

extension [UInt8] {
    /// Text without the ASCII white space at either end, which Compose files fold into a value.
    fileprivate var trimmingWhiteSpace: String {
        let isSpace = { (byte: UInt8) in byte == .space || (0x09...0x0D).contains(byte) }
        guard let first = firstIndex(where: { !isSpace($0) }),
            let last = lastIndex(where: { !isSpace($0) })
        else { return "" }
        return String(decoding: self[first...last], as: UTF8.self)
    }
}
