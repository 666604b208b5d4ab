// SPDX-License-Identifier: Apache-2.0

/// Who would call whom: an endpoint must lead out of the gateway, and to what TLS is told of.
extension ConfigurationDraft {
    mutating func checkAddresses() {
        for index in configuration.upstreams.indices {
            for (endpoint, place) in knownEndpoints(index) {
                if isAdmin(endpoint) {
                    fault(place, "the endpoint \(endpoint.label) is the admin address")
                }
                if let address = endpoint.address, address.reaches(configuration.listen.address) {
                    fault(
                        place,
                        "the endpoint \(endpoint.label) is the gateway's own listener: requests "
                            + "would go round in a loop")
                }
            }
        }
        guard case .tcp(let admin) = configuration.admin else { return }
        if configuration.listen.address.reaches(admin)
            || admin.reaches(configuration.listen.address)
        {
            let place = place(of: .listenAddress) ?? place(of: .adminAddress)
            fault(
                place ?? .environment(EnvironmentVariable.listen.rawValue),
                "the listener and the admin listener have one address")
        }
    }

    private func isAdmin(_ endpoint: UpstreamURL) -> Bool {
        switch (configuration.admin, endpoint.place) {
        case (.tcp(let admin), .tcp(let address)): address.reaches(admin)
        case (.unix(let admin), .unix(let path)): path == admin
        case (.off, _), (.tcp, .unix), (.unix, .tcp): false
        }
    }

    /// Whoever pins a key or names an authority counts on it, so to ignore that would be unsafe.
    mutating func checkUpstreamTLS() {
        for (index, node) in places.upstreams.enumerated() {
            let upstream = configuration.upstreams[index]
            guard upstream.tls != Configuration.UpstreamTLS(), areEndpointsWhole(index),
                !upstream.endpoints.contains(where: \.isTLS), let place = node.member("tls")
            else { continue }
            fault(place, "has no effect: no endpoint begins with `https://`")
        }
    }

    /// The endpoints that hold and where each was set, without placeholders for what was not
    /// given or could not be read.
    private func knownEndpoints(
        _ index: Int
    ) -> [(url: UpstreamURL, place: ConfigurationFault.Place)] {
        if places.endpointVariableIsBroken { return [] }
        let endpoints = configuration.upstreams[index].endpoints
        if let place = endpointVariable { return endpoints.map { ($0, place) } }
        if places.endpoints.indices.contains(index) {
            return zip(endpoints, places.endpoints[index].nodes).map { ($0, place(of: $1)) }
        }
        guard policy != nil || configuration.mode == .sidecar else { return [] }
        return endpoints.map { ($0, .environment(EnvironmentVariable.upstream.rawValue)) }
    }

    private func areEndpointsWhole(_ index: Int) -> Bool {
        if places.endpointVariableIsBroken { return false }
        return endpointVariable != nil || places.endpoints[index].areWhole
    }

    /// The variable or flag that sets the endpoints over the policy's.
    private var endpointVariable: ConfigurationFault.Place? {
        switch configuration.sources[.upstreamEndpoint] {
        case .flag, .environment: place(of: .upstreamEndpoint)
        case .policy, .builtIn: nil
        }
    }
}
