// SPDX-License-Identifier: Apache-2.0

import Bytes

/// What a ClientHello offers (RFC 8446 §4.1.2), as far as the server has use for it.
///
/// Reading checks the form alone; what is missing, or does not fit together, is for whoever
/// chooses.
struct ClientOffer {
    struct Share {
        let group: NamedGroup
        /// Of the key exchange in the message.
        let range: Range<Int>
    }

    /// Groups, schemes and shares beyond these are as if they were not offered.
    static let sharesMax = 16
    /// Tickets that are tried.
    static let identitiesMax = 4
    static let serverNameMax = 255

    private(set) var sessionID: Range<Int> = 0..<0
    /// Those of ours, in the client's order.
    private(set) var suites: [CipherSuite] = []
    private(set) var compressesNothing = false
    var offersTLS13 = false
    var groups: [NamedGroup]?
    var schemes: [SignatureScheme]?
    var shares: [Share]?
    /// With those for groups that are none of ours.
    var shareCount = 0
    /// A group appears twice among the shares.
    var repeatsShare = false
    /// Other names than ours count, too.
    var offersProtocols = false
    var offersHTTP11 = false
    var serverName: Range<Int> = 0..<0
    /// RFC 6066 §4: 1 to 4.
    var fragmentLengthCode: UInt8?
    var offersEarlyData = false
    /// `nil` without the extension; whether (EC)DHE is among the modes.
    var resumesWithExchange: Bool?
    /// Of the tickets, the first ones; `nil` without the extension.
    var identities: [Range<Int>]?
    var identityCount = 0
    var binders: [Range<Int>] = []
    var binderCount = 0
    /// Where the binders' vector begins, up to which a binder covers the message (§4.2.11.2).
    var bindersStart = 0
    /// Types below 64 that have been seen, one bit each.
    private var seen: UInt64 = 0

    /// - Parameter message: whole, with its header.
    init(_ message: Span<UInt8>) throws(Alert) {
        var reader = MessageReader(HandshakeMessage.headerCount..<message.count)
        // §D.5: whoever still knows SSL 3 is not spoken to.
        guard try reader.number(message, size: 2) > 0x0300 else { throw .protocolVersion }
        // TLS 1.3 has no use for the client's random but in the transcript.
        try reader.skip(32)
        sessionID = try reader.vector(message, size: 1, 0...32).rest
        let list: [CipherSuite] = try Self.known(
            reader.vector(message, size: 2, 2...65534), message)
        suites = list.filter(\.isAvailable)
        let compression = try reader.vector(message, size: 1, 1...255)
        compressesNothing =
            compression.rest.count == 1 && message[compression.rest.lowerBound] == 0
        // A client older than TLS 1.2 may have none.
        guard !reader.isAtEnd else { return }
        var extensions = try reader.vector(message, size: 2, 0...65535)
        try reader.expectEnd()
        while !extensions.isAtEnd {
            let type = try extensions.number(message, size: 2)
            let content = try extensions.vector(message, size: 2, 0...65535)
            if type < 64 {
                guard seen & 1 << UInt64(type) == 0 else { throw .illegalParameter }
                seen |= 1 << UInt64(type)
            }
            try read(type, content, message)
            // §4.2.11: the last one, since its binders cover what comes before them.
            guard type != ExtensionType.preSharedKey || extensions.isAtEnd else {
                throw .illegalParameter
            }
        }
    }

    /// The key share of the best group that there is one for.
    var bestShare: Share? {
        for group in NamedGroup.allCases {
            if let share = shares?.first(where: { $0.group == group }) { return share }
        }
        return nil
    }

    /// The best group that the client knows.
    var bestGroup: NamedGroup? {
        NamedGroup.allCases.first { groups?.contains($0) ?? false }
    }
}

/// RFC 8446 §4.2, and RFC 6066, 7301.
enum ExtensionType {
    static let serverName = 0
    static let maxFragmentLength = 1
    static let supportedGroups = 10
    static let signatureAlgorithms = 13
    static let applicationProtocols = 16
    static let preSharedKey = 41
    static let earlyData = 42
    static let supportedVersions = 43
    static let pskKeyExchangeModes = 45
    static let certificateAuthorities = 47
    static let signatureAlgorithmsCert = 50
    static let keyShare = 51
}
