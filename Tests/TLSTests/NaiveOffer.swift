// SPDX-License-Identifier: Apache-2.0

import Bytes

@testable import TLS

/// What was learned of a ClientHello, as a comparable value.
struct OfferSummary: Equatable {
    var suites: [UInt16] = []
    var serverName: [UInt8] = []
    /// `3` TLS 1.3, `a` ALPN, `h` http/1.1, `e` early data, `c` more compression than none, `r` a
    /// share twice.
    var flags = ""
    var groups: [UInt16]?
    var schemes: [UInt16]?
    var shares: [UInt16]?
    var shareCount = 0
    var fragmentLengthCode: UInt8?
    var resumesWithExchange: Bool?
    /// How many tickets and binders there are.
    var resumption: [Int]?

    static func of(_ message: [UInt8]) -> Result<OfferSummary, Alert> {
        do throws(Alert) {
            let offer = try ClientOffer(message.span)
            var summary = OfferSummary()
            summary.suites = offer.suites.map(\.rawValue)
            summary.serverName = Array(message[offer.serverName])
            summary.flags =
                (offer.offersTLS13 ? "3" : "") + (offer.offersProtocols ? "a" : "")
                + (offer.offersHTTP11 ? "h" : "") + (offer.offersEarlyData ? "e" : "")
                + (offer.compressesNothing ? "" : "c") + (offer.repeatsShare ? "r" : "")
            summary.groups = offer.groups?.map(\.rawValue)
            summary.schemes = offer.schemes?.map(\.rawValue)
            summary.shares = offer.shares?.map(\.group.rawValue)
            summary.shareCount = offer.shareCount
            summary.fragmentLengthCode = offer.fragmentLengthCode
            summary.resumesWithExchange = offer.resumesWithExchange
            summary.resumption = offer.identities.map { _ in
                [offer.identityCount, offer.binderCount]
            }
            return .success(summary)
        } catch {
            return .failure(error)
        }
    }
}

/// The plain way: take the message apart with arrays.
struct NaiveOffer {
    private var rest: ArraySlice<UInt8>

    static func find(_ message: [UInt8]) -> Result<OfferSummary, Alert> {
        var hello = NaiveOffer(rest: message.dropFirst(4))
        do throws(Alert) { return .success(try hello.read()) } catch { return .failure(error) }
    }

    private mutating func take(_ count: Int) throws(Alert) -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw .decodeError }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    private mutating func number(_ size: Int) throws(Alert) -> Int {
        try take(size).reduce(0) { $0 << 8 | Int($1) }
    }

    private mutating func list(_ size: Int, least: Int) throws(Alert) -> NaiveOffer {
        let content = NaiveOffer(rest: try take(number(size)))
        guard content.rest.count >= least else { throw .decodeError }
        return content
    }

    /// Numbers of two bytes; those that are known, once.
    private mutating func numbers(_ known: Set<Int>) throws(Alert) -> [UInt16] {
        var found: [UInt16] = []
        while !rest.isEmpty {
            let number = try number(2)
            if known.contains(number), !found.contains(UInt16(number)) {
                found.append(UInt16(number))
            }
        }
        return found
    }

    private mutating func read() throws(Alert) -> OfferSummary {
        var summary = OfferSummary()
        var flags: Set<Character> = []
        guard try number(2) > 0x0300 else { throw .protocolVersion }
        _ = try take(32)
        guard try list(1, least: 0).rest.count <= 32 else { throw .decodeError }
        var suites = try list(2, least: 2)
        summary.suites = try suites.numbers([0x1301, 0x1302, 0x1303])
        if try list(1, least: 1).rest != [0] { flags.insert("c") }
        var seen: Set<Int> = []
        if !rest.isEmpty {
            var extensions = try list(2, least: 0)
            guard rest.isEmpty else { throw .decodeError }
            while !extensions.rest.isEmpty {
                let type = try extensions.number(2)
                var content = try extensions.list(2, least: 0)
                guard seen.insert(type).inserted || type >= 64 else { throw .illegalParameter }
                try content.readExtension(type, &summary, &flags)
                guard type != 41 || extensions.rest.isEmpty else { throw .illegalParameter }
            }
        }
        summary.flags = String("3ahecr".filter { flags.contains($0) })
        return summary
    }

    private mutating func readExtension(
        _ type: Int, _ summary: inout OfferSummary, _ flags: inout Set<Character>
    ) throws(Alert) {
        switch type {
        case 0: try readName(&summary)
        case 1:
            let code = try number(1)
            guard (1...4).contains(code) else { throw .illegalParameter }
            summary.fragmentLengthCode = UInt8(code)
        case 10:
            var groups = try list(2, least: 2)
            summary.groups = try groups.numbers([0x1D, 0x17, 0x18])
        case 13:
            var schemes = try list(2, least: 2)
            summary.schemes = try schemes.numbers([
                0x0403, 0x0503, 0x0603, 0x0807, 0x0804, 0x0805, 0x0806,
            ])
        case 16:
            flags.insert("a")
            var names = try list(2, least: 2)
            while !names.rest.isEmpty {
                if try names.list(1, least: 1).rest.elementsEqual("http/1.1".utf8) {
                    flags.insert("h")
                }
            }
        case 41: try readTickets(&summary)
        case 42: flags.insert("e")
        case 43:
            var versions = try list(1, least: 2)
            if try !versions.numbers([0x0304]).isEmpty { flags.insert("3") }
        case 45: summary.resumesWithExchange = try list(1, least: 1).rest.contains(1)
        case 51: try readShares(&summary, &flags)
        default: return
        }
        guard rest.isEmpty else { throw .decodeError }
    }

    private mutating func readName(_ summary: inout OfferSummary) throws(Alert) {
        var names = try list(2, least: 1)
        guard try names.number(1) == 0 else { throw .decodeError }
        let name = try names.list(2, least: 1).rest
        guard names.rest.isEmpty else { throw .decodeError }
        guard name.count <= 255, !name.contains(0) else { throw .unrecognizedName }
        summary.serverName = Array(name)
    }

    private mutating func readShares(
        _ summary: inout OfferSummary, _ flags: inout Set<Character>
    ) throws(Alert) {
        var shares = try list(2, least: 0)
        var groups: [Int] = []
        while !shares.rest.isEmpty {
            let group = try shares.number(2)
            _ = try shares.list(2, least: 1)
            if groups.prefix(ClientOffer.sharesMax).contains(group) { flags.insert("r") }
            groups.append(group)
        }
        summary.shareCount = groups.count
        summary.shares = Array(
            groups.filter { [0x1D, 0x17, 0x18].contains($0) }.map { UInt16($0) }
                .prefix(ClientOffer.sharesMax))
    }

    private mutating func readTickets(_ summary: inout OfferSummary) throws(Alert) {
        var tickets = try list(2, least: 7)
        var counts = [0, 0]
        while !tickets.rest.isEmpty {
            _ = try tickets.list(2, least: 1)
            _ = try tickets.take(4)
            counts[0] += 1
        }
        var binders = try list(2, least: 33)
        while !binders.rest.isEmpty {
            _ = try binders.list(1, least: 32)
            counts[1] += 1
        }
        summary.resumption = counts
    }
}
