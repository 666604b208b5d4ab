// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Where something listens or is reached.
extension PolicyForm {
    /// - Parameter parse: throws what to tell the operator.
    private static func text(
        _ schema: ValueSchema, _ words: String,
        _ parse: @escaping @Sendable (String) throws(UpstreamURL.Fault) -> Value
    ) -> PolicyForm {
        PolicyForm(schema: schema, words: words) { draft, node in
            guard let text = draft.string(node) else { return nil }
            do throws(UpstreamURL.Fault) {
                return try parse(text)
            } catch {
                draft.fault(node, error.reason)
                return nil
            }
        }
    }

    private static func text(_ alternatives: [ValueSchema]) -> ValueSchema {
        ValueSchema.string.and(.anyOf(alternatives))
    }

    fileprivate static var bindings: [ValueSchema] {
        HostPattern.addresses("", HostPattern.port)
            + [.pattern(HostPattern.localhost + HostPattern.port)]
    }
}

extension PolicyForm<SocketAddressText> {
    /// An address to listen on.
    static var binding: PolicyForm {
        text(
            text(bindings), "An address and a port, as in `0.0.0.0:8443` or `[::]:8443`."
        ) { text throws(UpstreamURL.Fault) in
            guard let address = SocketAddressText(binding: text) else {
                throw UpstreamURL.Fault(Expected.address)
            }
            return address
        }
    }
}

extension PolicyForm<Configuration.Admin> {
    static var admin: PolicyForm {
        text(
            text([.constant("off"), SocketPathText.schema] + bindings),
            "An address and a port, as in `127.0.0.1:9901`, or `unix:/path`, or `off`."
        ) { text throws(UpstreamURL.Fault) in
            switch Configuration.Admin.parse(text) {
            case .success(let admin): return admin
            case .failure(let fault): throw UpstreamURL.Fault(fault.reason)
            }
        }
    }
}

extension PolicyForm<UpstreamURL> {
    static var endpoint: PolicyForm {
        text(
            text(
                HostPattern.hosts("https?://", "(\(HostPattern.port))?/?") + [SocketPathText.schema]
            ),
            "`http://host[:port]`, `https://host[:port]` or `unix:/path`."
        ) { text throws(UpstreamURL.Fault) in
            try UpstreamURL(text)
        }
    }
}

extension PolicyForm<KeySetURL> {
    static var keySet: PolicyForm {
        text(
            text(
                HostPattern.hosts("https://", keySetEnd)
                    + HostPattern.loopbacks("http://", keySetEnd)
            ).and(.length(atMost: Bounds.urlBytesMax)),
            "A URL with a path, by `https://` or from this machine."
        ) { text throws(UpstreamURL.Fault) in
            try KeySetURL(text)
        }
    }

    private static var keySetEnd: String {
        "(\(HostPattern.port))?/[!-\"$-~]*"
    }
}

extension PolicyForm<String> {
    /// `https://host[:port]`, without a slash at its end.
    static var publicURL: PolicyForm {
        text(
            text(HostPattern.hosts("https://", "(\(HostPattern.port))?/?")),
            "`https://host[:port]`."
        ) { text throws(UpstreamURL.Fault) in
            _ = try OriginText.parse(text, scheme: "https://", defaultPort: 443)
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }

    static var hostName: PolicyForm {
        text(
            text([
                .pattern(HostPattern.ipv4), HostPattern.ipv6("", ""), HostPattern.name("", ""),
            ]),
            "A host name or an address, without a port."
        ) { text throws(UpstreamURL.Fault) in
            if let address = IPAddress(text) { return address.description }
            // An address in brackets is how a URL writes it, not what a certificate says.
            guard !text.hasPrefix("["), let name = SocketAddressText(host: text, port: 443) else {
                throw UpstreamURL.Fault("must be a host name or an address, without a port")
            }
            return name.host
        }
    }
}

extension PolicyForm<CIDRBlock> {
    static var block: PolicyForm {
        text(
            text([
                .pattern("\(HostPattern.ipv4)(/\(NumberPattern.of(0...32)))?"),
                HostPattern.ipv6("", "(/\(NumberPattern.of(0...128)))?"),
            ]),
            "An address or a block, as in `10.0.0.0/8`; no bit beyond the prefix may be set."
        ) { text throws(UpstreamURL.Fault) in
            do throws(CIDRBlock.Fault) {
                return try CIDRBlock(text)
            } catch {
                switch error {
                case .hostBits(let meant):
                    throw UpstreamURL.Fault(
                        "bits beyond the prefix are set; did you mean `\(meant)`?")
                case .malformed:
                    throw UpstreamURL.Fault("must be an address or a block, as in `10.0.0.0/8`")
                }
            }
        }
    }
}
