// SPDX-License-Identifier: Apache-2.0

/// The URL of an upstream endpoint: scheme, host and port, or the path of a Unix socket, and
/// nothing else.
package struct UpstreamURL: Sendable, Hashable {
    package enum Place: Sendable, Hashable {
        case tcp(SocketAddressText)
        /// Absolute.
        case unix(path: String)
    }

    package let place: Place
    package let isTLS: Bool

    package struct Fault: Error, Equatable {
        /// For the operator; never the text itself, which may hold a password.
        package let reason: String

        init(_ reason: String) {
            self.reason = reason
        }
    }

    package init(plaintext address: SocketAddressText) {
        place = .tcp(address)
        isTLS = false
    }

    package init(_ text: String) throws(Fault) {
        if text.hasPrefix(SocketPathText.scheme) {
            place = .unix(path: try SocketPathText.parse(text))
            isTLS = false
        } else if text.hasPrefix("https://") {
            place = .tcp(try OriginText.parse(text, scheme: "https://", defaultPort: 443))
            isTLS = true
        } else if text.hasPrefix("http://") {
            place = .tcp(try OriginText.parse(text, scheme: "http://", defaultPort: 80))
            isTLS = false
        } else {
            throw Fault("it must begin with `http://`, `https://` or `unix:/`")
        }
    }

    /// Host and port; `nil` for a Unix socket.
    package var address: SocketAddressText? {
        if case .tcp(let address) = place { return address }
        return nil
    }

    /// As metrics and logs name the endpoint: `host:port`, or `unix:/path`.
    package var label: String {
        switch place {
        case .tcp(let address): address.description
        case .unix(let path): "unix:\(path)"
        }
    }

    /// As `Host` names it (RFC 9110 §7.2): without the scheme's own port; a socket has no name but
    /// the machine's.
    package var authority: String {
        switch place {
        case .tcp(let address):
            address.port == (isTLS ? 443 : 80) ? address.hostText : address.description
        case .unix: "localhost"
        }
    }
}

extension UpstreamURL: CustomStringConvertible {
    package var description: String {
        switch place {
        case .tcp: (isTLS ? "https://" : "http://") + label
        case .unix: label
        }
    }
}

/// `scheme://host[:port][/]` with no user, path, query or fragment.
enum OriginText {
    static func parse(
        _ text: String, scheme: String, defaultPort: UInt16
    ) throws(UpstreamURL.Fault) -> SocketAddressText {
        guard text.hasPrefix(scheme) else {
            throw UpstreamURL.Fault("it must begin with `\(scheme)`")
        }
        var rest = text.dropFirst(scheme.count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        if rest.contains("@") { throw UpstreamURL.Fault("a user or password is not allowed in it") }
        if rest.contains(where: { $0 == "/" || $0 == "?" || $0 == "#" }) {
            throw UpstreamURL.Fault("only scheme, host and port are allowed in it, no path")
        }
        guard let (host, port) = SocketAddressText.split(String(rest)) else {
            throw UpstreamURL.Fault("malformed host")
        }
        let address =
            port == nil
            ? SocketAddressText(host: host, port: defaultPort) : SocketAddressText(String(rest))
        guard let address else { throw UpstreamURL.Fault("malformed host or port") }
        return address
    }
}
