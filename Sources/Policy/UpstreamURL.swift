// SPDX-License-Identifier: Apache-2.0

/// The URL of an upstream endpoint: scheme, host and port, and nothing else.
package struct UpstreamURL: Sendable, Equatable {
    package let endpoint: SocketAddressText

    package enum Fault: Error, Equatable {
        case notBuilt(String)
        case malformed(String)

        package var reason: String {
            switch self {
            case .notBuilt(let what): "\(what) is not built yet in this version"
            case .malformed(let reason): reason
            }
        }
    }

    package init(_ text: String) throws(Fault) {
        if text.hasPrefix("https://") { throw .notBuilt("`https://` to an upstream") }
        if text.hasPrefix("unix:") { throw .notBuilt("`unix:` to an upstream") }
        endpoint = try OriginText.parse(text, scheme: "http://", defaultPort: 80)
    }
}

/// `scheme://host[:port][/]` with no user, path, query or fragment.
enum OriginText {
    static func parse(
        _ text: String, scheme: String, defaultPort: UInt16
    ) throws(UpstreamURL.Fault) -> SocketAddressText {
        guard text.hasPrefix(scheme) else { throw .malformed("it must begin with `\(scheme)`") }
        var rest = text.dropFirst(scheme.count)
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        if rest.contains("@") { throw .malformed("a user or password is not allowed in it") }
        if rest.contains(where: { $0 == "/" || $0 == "?" || $0 == "#" }) {
            throw .malformed("only scheme, host and port are allowed in it, no path")
        }
        guard let (host, port) = SocketAddressText.split(String(rest)) else {
            throw .malformed("malformed host")
        }
        let address =
            port == nil
            ? SocketAddressText(host: host, port: defaultPort) : SocketAddressText(String(rest))
        guard let address else { throw .malformed("malformed host or port") }
        return address
    }
}
