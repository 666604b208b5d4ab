// SPDX-License-Identifier: Apache-2.0

/// Regular expressions for addresses and names of hosts, as `IPAddress` and `SocketAddressText`
/// read them.
enum HostPattern {
    static let ipv4 = "\(octet)(\\.\(octet)){3}"
    private static let octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
    private static let loopbackIPv4 = "127(\\.\(octet)){3}"

    /// The nine shapes of RFC 3986 §3.2.2: which groups may stand before `::` depends on how many
    /// follow it. What stands for the last two may be dotted; ``isDottedWell`` looks at that.
    private static let ipv6: String = {
        let group = "[0-9A-Fa-f]{1,4}"
        let tail = "(\(group):\(group)|[0-9]+\\.[0-9.]+)"
        var shapes = ["(\(group):){6}\(tail)", "::(\(group):){5}\(tail)"]
        for before in 1...5 {
            let head = before == 1 ? "(\(group))?" : "((\(group):){0,\(before - 1)}\(group))?"
            let between = before == 5 ? "" : "(\(group):){\(5 - before)}"
            shapes.append("\(head)::\(between)\(tail)")
        }
        shapes.append("((\(group):){0,5}\(group))?::\(group)")
        shapes.append("((\(group):){0,6}\(group))?::")
        return "(" + shapes.joined(separator: "|") + ")"
    }()

    /// One pattern for the whole would hold that of IPv4 seven times.
    private static let isDottedWell = "[0-9A-Fa-f:]+(:\(ipv4))?"

    /// Between a beginning and an end, which are patterns.
    static func ipv6(_ beginning: String, _ end: String) -> ValueSchema {
        ValueSchema.pattern(beginning + ipv6 + end)
            .and(.allOf([.pattern(beginning + isDottedWell + end)]))
    }

    static let port = ":0*" + NumberPattern.of(1...65535)
    static let localhost = "[Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]"

    private static let nameCharacter = "[0-9A-Za-z_.-]"
    private static let nameLengthMax = 253
    private static let labelLengthMax = 63

    /// A host between a beginning and an end, which are patterns: an address, an IPv6 one in
    /// brackets, or a name.
    static func hosts(_ beginning: String, _ end: String) -> [ValueSchema] {
        addresses(beginning, end) + [name(beginning, end)]
    }

    static func addresses(_ beginning: String, _ end: String) -> [ValueSchema] {
        [
            .pattern(beginning + ipv4 + end),
            ipv6(beginning + "\\[", "\\]" + end),
        ]
    }

    /// What a name may hold, but not what has a label that is empty, begins or ends with a hyphen
    /// or is too long, nor what ends in a number, as a mistyped address does. A pattern for the
    /// labels themselves would have engines that search all ways to match search forever.
    static func name(_ beginning: String, _ end: String) -> ValueSchema {
        let any = nameCharacter + "*"
        let faults = [
            "(\(any)\\.)?[.-]\(any)", "\(any)[.-]", "\(any)-\\.\(any)",
            "\(any)[0-9A-Za-z_-]{\(labelLengthMax + 1)}\(any)", "(\(any)\\.)?[0-9]+",
        ]
        return ValueSchema.pattern(beginning + "\(nameCharacter){1,\(nameLengthMax)}" + end)
            .butNot(.pattern(beginning + "(" + faults.joined(separator: "|") + ")" + end))
    }

    /// This machine.
    static func loopbacks(_ beginning: String, _ end: String) -> [ValueSchema] {
        // What is an address at all, and has nothing but zeros before its last group.
        let isAddress = ipv6(beginning + "\\[", "\\]" + end)
        let one = "\\[[0:]+:(0{0,3}1|0\\.0\\.0\\.1)\\]"
        let first = "7[Ff][0-9A-Fa-f]{2}"
        let mapped =
            "\\[([0:]+:[Ff]{4}:(\(loopbackIPv4)|\(first):[0-9A-Fa-f]{1,4})"
            + "|(0{1,4}:){5}[Ff]{4}:\(first)::)\\]"
        return [
            .pattern(beginning + localhost + end),
            .pattern(beginning + loopbackIPv4 + end),
            .allOf([isAddress, .pattern(beginning + "(\(one)|\(mapped))" + end)]),
        ]
    }
}

extension ValueSchema {
    /// Without the type, for what stands beside others in an `anyOf`.
    static func pattern(_ pattern: String) -> ValueSchema {
        any.matching("^(\(pattern))$")
    }
}
