// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// Where an upstream is reached, how that is told to be well, and whom TLS believes.
extension ConfigurationDraft {
    /// Those that can be read, and where each of them stands.
    mutating func endpoints(_ items: [PolicyItem<UpstreamURL>]) -> ([UpstreamURL], EndpointPlaces) {
        var endpoints: [UpstreamURL] = []
        var places = EndpointPlaces(areWhole: true)
        for item in items {
            guard let endpoint = read(item) else {
                places.areWhole = false
                continue
            }
            if let reason = Self.repetition(of: endpoint, in: endpoints) {
                fault(item.node, reason)
            }
            endpoints.append(endpoint)
            places.nodes.append(item.node)
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

    mutating func healthCheck(
        _ object: PolicyObject<HealthCheckKeys>
    ) -> Configuration.HealthCheck? {
        let path = read(object.path)
        var check = Configuration.HealthCheck(path: path ?? "")
        assign(object.interval, to: &check.intervalMilliseconds)
        assign(object.unhealthyAfter, to: &check.unhealthyAfter)
        return path == nil ? nil : check
    }

    mutating func upstreamTLS(
        _ object: PolicyObject<UpstreamTLSKeys>
    ) -> Configuration.UpstreamTLS {
        var tls = Configuration.UpstreamTLS()
        assign(object.authority, to: &tls.authorityPath)
        assign(object.serverName, to: &tls.serverName)
        tls.pins = pins(object.pins)
        return tls
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
