// SPDX-License-Identifier: Apache-2.0

import Bytes

extension ClientOffer {
    mutating func read(
        _ type: Int, _ content: MessageReader, _ message: Span<UInt8>
    ) throws(Alert) {
        var content = content
        switch type {
        case ExtensionType.serverName: try readServerName(&content, message)
        case ExtensionType.maxFragmentLength:
            let code = try content.number(message, size: 1)
            guard (1...4).contains(code) else { throw .illegalParameter }
            fragmentLengthCode = UInt8(code)
        case ExtensionType.supportedGroups:
            let list = try content.vector(message, size: 2, 2...65534)
            groups = try Self.known(list, message)
        case ExtensionType.signatureAlgorithms:
            let list = try content.vector(message, size: 2, 2...65534)
            schemes = try Self.known(list, message)
        case ExtensionType.applicationProtocols: try readProtocols(&content, message)
        case ExtensionType.preSharedKey: try readPreSharedKeys(&content, message)
        case ExtensionType.earlyData: offersEarlyData = true
        case ExtensionType.supportedVersions: try readVersions(&content, message)
        case ExtensionType.pskKeyExchangeModes: try readModes(&content, message)
        case ExtensionType.keyShare: try readShares(&content, message)
        default: return
        }
        try content.expectEnd()
    }

    /// Those of a list of numbers that are ours, each once, in the client's order.
    static func known<Number: RawRepresentable<UInt16> & Equatable>(
        _ list: MessageReader, _ message: Span<UInt8>
    ) throws(Alert) -> [Number] {
        var list = list
        var known: [Number] = []
        while !list.isAtEnd {
            let number = UInt16(truncatingIfNeeded: try list.number(message, size: 2))
            if let ours = Number(rawValue: number), !known.contains(ours) { known.append(ours) }
        }
        return known
    }

    /// RFC 6066 §3: one name, of a host.
    private mutating func readServerName(
        _ content: inout MessageReader, _ message: Span<UInt8>
    ) throws(Alert) {
        var list = try content.vector(message, size: 2, 1...65535)
        guard try list.number(message, size: 1) == 0 else { throw .decodeError }
        let name = try list.vector(message, size: 2, 1...65535).rest
        try list.expectEnd()
        guard name.count <= Self.serverNameMax else { throw .unrecognizedName }
        for index in name where message[index] == 0 { throw .unrecognizedName }
        serverName = name
    }

    /// RFC 7301 §3.1.
    private mutating func readProtocols(
        _ content: inout MessageReader, _ message: Span<UInt8>
    ) throws(Alert) {
        offersProtocols = true
        var list = try content.vector(message, size: 2, 2...65535)
        while !list.isAtEnd {
            let name = try list.vector(message, size: 1, 1...255).rest
            if message.extracting(name).equals("http/1.1") { offersHTTP11 = true }
        }
    }

    private mutating func readVersions(
        _ content: inout MessageReader, _ message: Span<UInt8>
    ) throws(Alert) {
        var list = try content.vector(message, size: 1, 2...254)
        while !list.isAtEnd {
            if try list.number(message, size: 2) == 0x0304 { offersTLS13 = true }
        }
    }

    private mutating func readModes(
        _ content: inout MessageReader, _ message: Span<UInt8>
    ) throws(Alert) {
        var list = try content.vector(message, size: 1, 1...255)
        var hasExchange = false
        while !list.isAtEnd {
            if try list.number(message, size: 1) == 1 { hasExchange = true }
        }
        resumesWithExchange = hasExchange
    }

    /// §4.2.8: at most one share a group.
    private mutating func readShares(
        _ content: inout MessageReader, _ message: Span<UInt8>
    ) throws(Alert) {
        var list = try content.vector(message, size: 2, 0...65535)
        var known: [Share] = []
        var numbers: [Int] = []
        while !list.isAtEnd {
            let number = try list.number(message, size: 2)
            let range = try list.vector(message, size: 2, 1...65535).rest
            shareCount += 1
            if numbers.contains(number) { repeatsShare = true }
            if numbers.count < Self.sharesMax { numbers.append(number) }
            guard let group = NamedGroup(rawValue: UInt16(number)), known.count < Self.sharesMax
            else { continue }
            known.append(Share(group: group, range: range))
        }
        shares = known
    }

    /// §4.2.11.
    private mutating func readPreSharedKeys(
        _ content: inout MessageReader, _ message: Span<UInt8>
    ) throws(Alert) {
        var list = try content.vector(message, size: 2, 7...65535)
        var first: [Range<Int>] = []
        while !list.isAtEnd {
            let identity = try list.vector(message, size: 2, 1...65535).rest
            try list.skip(4)
            identityCount += 1
            if first.count < Self.identitiesMax { first.append(identity) }
        }
        identities = first
        bindersStart = content.offset
        var macs = try content.vector(message, size: 2, 33...65535)
        while !macs.isAtEnd {
            let binder = try macs.vector(message, size: 1, 32...255).rest
            binderCount += 1
            if binders.count < Self.identitiesMax { binders.append(binder) }
        }
    }
}
