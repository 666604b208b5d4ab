// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Host and port as they are written: `0.0.0.0:8443`, `[::]:8443`, `openclaw:8080`.
package struct SocketAddressText: Sendable, Hashable {
    /// An address in its canonical text without brackets, or a name in lower case.
    package let host: String
    package let port: UInt16
    /// `nil` for a name, which must be resolved first.
    package let address: IPAddress?

    package init(address: IPAddress, port: UInt16) {
        host = address.description
        self.port = port
        self.address = address
    }

    /// Port 0 is refused: who connects must know the port.
    package init?(_ text: String) {
        guard let (host, port) = Self.split(text), let port,
            let number = Array(port.utf8.drop { $0 == UInt8(ascii: "0") }).span.decimal,
            (1...65535).contains(number)
        else { return nil }
        self.init(host: host, port: UInt16(number))
    }

    /// A host with or without brackets around an IPv6 address; its port is given apart.
    init?(host text: String, port: UInt16) {
        self.port = port
        if text.hasPrefix("["), text.hasSuffix("]") {
            guard text.contains(":"), let address = IPAddress(String(text.dropFirst().dropLast()))
            else { return nil }
            self.address = address
            host = address.description
        } else if let address = IPAddress(text), address.isIPv4 {
            self.address = address
            host = address.description
        } else {
            guard Self.isHostName(text) else { return nil }
            address = nil
            host = text.lowercased()
        }
    }

    /// Host and what follows its colon; the colons of an IPv6 address lie within brackets.
    static func split(_ text: String) -> (host: String, port: String?)? {
        let searched = text.hasPrefix("[") ? text.drop { $0 != "]" } : Substring(text)
        guard let colon = searched.firstIndex(of: ":") else { return (text, nil) }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    /// RFC 1123 §2.1, and the underscore that container networks use. A name that ends in a
    /// number is refused, since it can only be a mistyped address.
    private static func isHostName(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.utf8.count), label.first != "-", label.last != "-",
                label.utf8.allSatisfy({
                    $0.isDigit || $0.isLetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                })
            else { return false }
        }
        return labels.last.map { !$0.utf8.allSatisfy(\.isDigit) } ?? false
    }

    /// True where the host is an address of the machine itself.
    package var isLoopback: Bool { address?.isLoopback ?? (host == "localhost") }

    /// True where a connection to `self` would reach a listener bound to `listener`, as far as
    /// that can be told without resolving a name.
    func reaches(_ listener: SocketAddressText) -> Bool {
        guard port == listener.port else { return false }
        if host == listener.host { return true }
        // A connection to the unspecified address goes to the machine itself.
        guard isLoopback || address?.isUnspecified == true else { return false }
        guard let bound = listener.address, let address else {
            return listener.isLoopback || listener.address?.isUnspecified == true
        }
        // A listener on `[::]` takes IPv4 too, one on `0.0.0.0` nothing else.
        if bound.isUnspecified { return address.isIPv4 || !bound.isIPv4 }
        return address.isUnspecified && bound.isLoopback && address.isIPv4 == bound.isIPv4
    }
}

extension SocketAddressText: CustomStringConvertible {
    package var description: String { "\(hostText):\(port)" }

    /// The host alone, an IPv6 address in brackets.
    package var hostText: String {
        let needsBrackets = address.map { !$0.isIPv4 } ?? false
        return needsBrackets ? "[\(host)]" : host
    }
}
