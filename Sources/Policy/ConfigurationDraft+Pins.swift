// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON

/// Certificates that a peer has to show, told by their public keys (RFC 7469 §2.4).
extension ConfigurationDraft {
    /// Those that can be read.
    mutating func pins(_ node: PolicyNode, max: Int = Bounds.pinsMax) -> [[UInt8]] {
        placedPins(node, max: max).map(\.pin)
    }

    private mutating func placedPins(
        _ node: PolicyNode, max: Int
    ) -> [(pin: [UInt8], node: PolicyNode)] {
        var pins: [(pin: [UInt8], node: PolicyNode)] = []
        let items = items(node, max: max)
        defer { if pins.count != items?.count { places.clientRulesAreWhole = false } }
        for item in items ?? [] {
            guard let text = string(item) else { continue }
            // 32 bytes are 44 digits, the last of them padding (RFC 4648 §4).
            guard text.utf8.count == 44, let pin = Base64URL.decodeStandard(Array(text.utf8).span),
                pin.count == 32
            else {
                fault(item, "must be a SHA-256 in base64: 43 digits and `=`")
                continue
            }
            if pins.contains(where: { $0.pin == pin }) { fault(item, "the same pin twice") }
            pins.append((pin, item))
        }
        return pins
    }

    // MARK: Clients

    mutating func readClientCertificates(_ tls: PolicyObject) {
        take(
            tls["client_certificate"], .clientCertificate, \.listen.clientCertificates.demand
        ) {
            draft, node in
            let demand = draft.choice(node, of: Configuration.ClientCertificateDemand.self)
            if demand == nil { draft.places.clientRulesAreWhole = false }
            return demand
        }
        take(tls["client_ca"], .clientAuthority, \.listen.clientCertificates.authorityPath) {
            draft, node in
            node.value.isNull ? .some(nil) : draft.path(node).map { .some($0) }
        }
        take(tls["client_pins_sha256"], .clientPins, \.listen.clientCertificates.pins) {
            $0.pins($1, max: Bounds.clientPinsMax)
        }
    }

    /// An agent's pins. One names a client for good, so no two agents have one.
    mutating func agentPins(_ node: PolicyNode) -> [[UInt8]] {
        let found = placedPins(node, max: Bounds.pinsMax)
        for (pin, item) in found {
            guard let owner = places.pinOwners[pin] else { continue }
            fault(item, "the same pin is agent `\(owner)`'s already")
        }
        return found.map(\.pin)
    }

    /// What is asked of clients, and what comes of it, must fit together.
    mutating func checkClientCertificates() {
        guard places.clientRulesAreWhole else { return }
        let rules = configuration.listen.clientCertificates
        guard rules.demand != .none else { return checkUnasked(rules) }
        let isPinned = !configuration.clientPins.isEmpty
        if rules.authorityPath == nil, !isPinned, let place = place(of: .clientCertificate) {
            fault(
                place,
                "a certificate that nobody vouches for and nobody pins proves nothing: write "
                    + "`client_ca`, `client_pins_sha256`, or `client_pins_sha256` of agents")
        }
        guard places.chainIsWhole, !configuration.filters.contains(.clientPins) else { return }
        if let place = place(of: .clientPins), !rules.pins.isEmpty {
            fault(place, "the chain has no `client_pins`, so this has no effect")
        } else if rules.authorityPath == nil, isPinned, let place = place(of: .clientCertificate) {
            fault(
                place,
                "without `client_ca` anybody can make a certificate, and without the filter "
                    + "`client_pins` any will do: write one of the two")
        }
    }

    /// Where no client is asked for a certificate, none is judged.
    private mutating func checkUnasked(_ rules: Configuration.ClientCertificates) {
        let reason =
            "no client is asked for its certificate: write `client_certificate`, "
            + "`optional` or `required`, in `listen.tls`"
        if rules.authorityPath != nil, let place = place(of: .clientAuthority) {
            warn(place, "has no effect, since \(reason)")
        }
        if !rules.pins.isEmpty, let place = place(of: .clientPins) {
            fault(place, "has no effect, since \(reason)")
        }
        for (agent, node) in zip(configuration.agents, places.agents) {
            guard !agent.clientPins.isEmpty, let pins = node.member("client_pins_sha256") else {
                continue
            }
            fault(pins, "can never be used, since \(reason)")
        }
    }
}
