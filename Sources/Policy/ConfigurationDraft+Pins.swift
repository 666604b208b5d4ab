// SPDX-License-Identifier: Apache-2.0

/// Certificates that a peer has to show, told by their public keys (RFC 7469 §2.4).
extension ConfigurationDraft {
    /// Those that can be read.
    mutating func pins(_ field: PolicyField<[PolicyItem<[UInt8]>]>) -> [[UInt8]] {
        placedPins(field).map(\.value)
    }

    private mutating func placedPins(
        _ field: PolicyField<[PolicyItem<[UInt8]>]>
    ) -> [(value: [UInt8], node: PolicyNode)] {
        guard field.node != nil else { return [] }
        guard let items = read(field) else {
            places.clientRulesAreWhole = false
            return []
        }
        let pins = distinct(items, "pin")
        if pins.count < items.count { places.clientRulesAreWhole = false }
        return pins
    }

    // MARK: Clients

    mutating func readClientCertificates(_ tls: PolicyObject<ListenTLSKeys>) {
        take(tls.clientCertificate, .clientCertificate, \.listen.clientCertificates.demand)
        if tls.clientCertificate.node != nil, place(of: .clientCertificate) == nil {
            places.clientRulesAreWhole = false
        }
        take(tls.clientAuthority, .clientAuthority, \.listen.clientCertificates.authorityPath)
        if let node = tls.clientPins.node {
            let pins = pins(tls.clientPins)
            set(
                .clientPins, \.listen.clientCertificates.pins, to: pins, from: .policy,
                at: place(of: node))
        }
    }

    /// An agent's pins. One names a client for good, so no two agents have one.
    mutating func agentPins(_ field: PolicyField<[PolicyItem<[UInt8]>]>) -> [[UInt8]] {
        let found = placedPins(field)
        for (pin, node) in found {
            guard let owner = places.pinOwners[pin] else { continue }
            fault(node, "the same pin is agent `\(owner)`'s already")
        }
        return found.map(\.value)
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
