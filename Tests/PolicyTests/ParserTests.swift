// SPDX-License-Identifier: Apache-2.0

import Bytes
import Policy
import Testing

@Suite struct ParserTests {
    static let durations: [(String, Int?)] = [
        ("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("0s", 0),
        ("007s", 7000), ("", nil), ("5", nil), ("s", nil), ("5 s", nil), (" 5s", nil),
        ("5S", nil), ("1.5s", nil), ("-1s", nil), ("+1s", nil), ("5d", nil), ("5ss", nil),
        ("5m30s", nil), ("٣s", nil), ("9223372036854775807h", nil), ("99999999999999999999s", nil),
    ]

    @Test(arguments: durations)
    func duration(text: String, milliseconds: Int?) {
        #expect(DurationText.parse(text) == milliseconds)
    }

    @Test(arguments: [
        (0, "0s"), (1, "1ms"), (1500, "1500ms"), (90_000, "90s"), (300_000, "5m"),
        (86_400_000, "24h"),
    ])
    func durationText(milliseconds: Int, text: String) {
        #expect(DurationText.text(milliseconds) == text)
        #expect(DurationText.parse(text) == milliseconds)
    }

    static let sizes: [(String, Int?)] = [
        ("0B", 0), ("512B", 512), ("64KiB", 65_536), ("2MiB", 2_097_152), ("1GiB", 1 << 30),
        ("64KB", nil), ("64kib", nil), ("64", nil), ("KiB", nil), ("1.5MiB", nil), ("1 MiB", nil),
        ("9223372036854775807GiB", nil),
    ]

    @Test(arguments: sizes)
    func size(text: String, bytes: Int?) {
        #expect(SizeText.parse(text) == bytes)
        if let bytes { #expect(SizeText.parse(SizeText.text(bytes)) == bytes) }
    }

    static let rates: [(String, Rate?)] = [
        ("1000/1s", Rate(requests: 1000, periodMilliseconds: 1000, burst: 2000)),
        ("1/24h", Rate(requests: 1, periodMilliseconds: 86_400_000, burst: 2)),
        ("60/1m", Rate(requests: 60, periodMilliseconds: 60_000, burst: 120)),
        ("0/1s", nil), ("10/0s", nil), ("10/1ms", nil), ("10/25h", nil), ("10", nil), ("10/s", nil),
        ("10/1s/2", nil), ("/1s", nil), ("-1/1s", nil), ("+1/1s", nil), ("10 / 1s", nil),
        ("10000001/1s", nil), ("99999999999999999999/1s", nil), ("", nil), ("off", nil),
    ]

    @Test(arguments: rates)
    func rate(text: String, rate: Rate?) {
        #expect(Rate(text) == rate)
    }

    /// Text, canonical text; `nil` where it is no address.
    static let addresses: [(String, String?)] = [
        ("0.0.0.0", "0.0.0.0"), ("127.0.0.1", "127.0.0.1"), ("255.255.255.255", "255.255.255.255"),
        ("256.0.0.1", nil), ("1.2.3", nil), ("1.2.3.4.5", nil), ("01.2.3.4", nil),
        ("1.2.3.4 ", nil),
        ("1..2.3", nil), ("0x7f.0.0.1", nil), ("", nil), ("1.2.3.", nil), (".1.2.3", nil),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("fe80::1", "fe80::1"),
        ("2001:DB8:0:0:0:0:2:1", "2001:db8::2:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("::ffff:1.2.3.4", "1.2.3.4"),
        ("::ffff:102:304", "1.2.3.4"), ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"), ("::1.2.3.4", "::102:304"),
        (":", nil), (":::", nil), ("1:2", nil), ("1:2:3:4:5:6:7", nil), ("1:2:3:4:5:6:7:8:9", nil),
        ("1::2::3", nil), ("1:2:3:4:5:6:7:8::", nil), ("::1:2:3:4:5:6:7:8", nil), ("12345::", nil),
        ("g::", nil), (":1:2:3:4:5:6:7:8", nil), ("1:2:3:4:5:6:7:", nil), ("1.2.3.4::", nil),
        ("fe80::1%eth0", nil), ("[::1]", nil), ("1:2:3:4:5:6:7:1.2.3.4", nil), ("::1:", nil),
    ]

    @Test(arguments: addresses)
    func address(text: String, canonical: String?) {
        let address = IPAddress(text)
        #expect(address?.description == canonical)
        // The canonical text names the same address.
        if let canonical { #expect(IPAddress(canonical) == address) }
    }

    static let blocks: [(String, String, Bool)] = [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false),
        ("0.0.0.0/0", "255.1.2.3", true), ("0.0.0.0/0", "::1", false), ("::/0", "::1", true),
        ("::/0", "1.2.3.4", false), ("fd00::/8", "fdff::1", true), ("fd00::/8", "fc00::1", false),
        ("192.168.1.7", "192.168.1.7", true), ("192.168.1.7", "192.168.1.8", false),
        ("::1", "::1", true), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ("::ffff:10.0.0.0/104", "10.255.0.1", true), ("::ffff:10.0.0.0/104", "11.0.0.0", false),
        ("::ffff:0:0/96", "1.2.3.4", true), ("::ffff:0:0/96", "::1", false),
        ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.128/25", "192.0.2.129", true),
    ]

    @Test(arguments: blocks)
    func block(text: String, address: String, isIn: Bool) throws {
        let block = try CIDRBlock(text)
        #expect(block.contains(try #require(IPAddress(address))) == isIn)
    }

    @Test(arguments: [
        "", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0.0/-1",
        "10.0.0.0/8/8", "::ffff:10.0.0.0/129", "10.0.0/8", "host/8", "10.0.0.0 /8",
    ])
    func blockRefused(text: String) {
        #expect(throws: CIDRBlock.Fault.malformed) { try CIDRBlock(text) }
    }

    @Test func blockWithHostBits() throws {
        let meant = try CIDRBlock("10.0.0.0/8")
        #expect(throws: CIDRBlock.Fault.hostBits(meant)) { try CIDRBlock("10.0.0.1/8") }
        #expect(meant.description == "10.0.0.0/8")
        // Not IPv4's /8, however the address is written.
        let wide = try CIDRBlock("::/8")
        #expect(throws: CIDRBlock.Fault.hostBits(wide)) { try CIDRBlock("::ffff:10.0.0.0/8") }
    }

    static let sockets: [(String, String?)] = [
        ("0.0.0.0:8443", "0.0.0.0:8443"), ("[::]:8443", "[::]:8443"), ("[0:0::1]:1", "[::1]:1"),
        ("localhost:65535", "localhost:65535"), ("OpenClaw:80", "openclaw:80"),
        ("my_svc.ns.svc.cluster.local:80", "my_svc.ns.svc.cluster.local:80"),
        ("a:0000000000000000000000080", "a:80"), ("a:00000000000000000000000", nil),
        ("", nil), (":8443", nil), ("8443", nil), ("host", nil), ("host:", nil), ("host:0", nil),
        ("host:65536", nil), ("host:-1", nil), ("host:80:80", nil), ("::1:80", nil), ("[::1]", nil),
        ("[::1]x:80", nil), ("[host]:80", nil), ("[1.2.3.4]:80", nil), ("-a:80", nil),
        ("a-:80", nil),
        ("a..b:80", nil), ("a b:80", nil), ("1.2.3.4.5:80", nil), ("300.1.1.1:80", nil),
        ("127.1:80", nil), ("2130706433:80", nil), ("bücher:80", nil), ("a/b:80", nil),
    ]

    @Test(arguments: sockets)
    func socketAddress(text: String, canonical: String?) {
        #expect(SocketAddressText(text)?.description == canonical)
    }

    static let nearest: [(String, String?)] = [
        ("metods", "methods"), ("methdos", "methods"), ("METHODS", "methods"),
        ("upstreem", "upstream"),
        ("pth", "path"), ("publik", "public"), ("zzz", nil), ("", nil), ("frobnicate", nil),
        (String(repeating: "m", count: 1000), nil),
    ]

    @Test(arguments: nearest)
    func nearestName(name: String, meant: String?) {
        #expect(NearestName.of(name, in: ["path", "methods", "public", "upstream"]) == meant)
    }

    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("abc", "abc", 0), ("abcd", "abdc", 1),
        ("kitten", "sitting", 3), ("ca", "abc", 3),
    ])
    func editDistance(left: String, right: String, distance: Int) {
        #expect(NearestName.distance(left, right) == distance)
        #expect(NearestName.distance(right, left) == distance)
    }
}
