// SPDX-License-Identifier: Apache-2.0

/// A call as its client writes it.
struct RequestText {
    private(set) var bytes: [UInt8] = []
    /// Where the head ends.
    private(set) var headCount = 0

    /// - Parameter credentials: header lines.
    init(_ call: Call, credentials: String, bodyLimit: Int, _ dice: inout Dice) {
        let flaw = call.flaw
        var head = Self.requestLine(call)
        head += "host: claw.example\r\nx-sim-id: \(call.id)\r\n"
        // What no client may say of itself; the upstream looks whether it has gone.
        if dice.oneIn(8) { head += "x-agentport-user: root\r\nX-Real_IP: 1.2.3.4\r\n" }
        if dice.oneIn(8) { head += "connection: x-hop\r\nx-hop: 1\r\n" }
        if !call.isSlow, dice.oneIn(6) {
            head += "x-filler: \(String(repeating: "f", count: dice.below(4000)))\r\n"
        }
        head += credentials
        if call.expectsContinue { head += "expect: 100-continue\r\n" }
        if flaw == .unknownExpectation { head += "expect: a-miracle\r\n" }
        if flaw == .spaceBeforeColon { head += "x-odd : 1\r\n" }
        if flaw == .controlByte { head += "x-odd: a\u{0}b\r\n" }
        if flaw == .bareLineFeed { head += "x-odd: 1\nx-even: 2\r\n" }
        if flaw == .manyFields {
            head += (0..<120).map { "x-many-\($0): 1\r\n" }.joined()
        }
        head += Self.framing(call, bodyLimit: bodyLimit)
        bytes = Array((head + "\r\n").utf8)
        headCount = bytes.count
        appendBody(call, bodyLimit: bodyLimit, &dice)
    }

    private static func requestLine(_ call: Call) -> String {
        let place = call.credentials == .none ? "open" : "calls"
        let path =
            switch call.flaw {
            case .noRoute: "/nowhere/\(call.id)"
            case .ambiguousPath: "/\(place)/a%2Fb/\(call.id)"
            case .longLine: "/\(place)/\(call.id)/\(String(repeating: "l", count: 9000))"
            default: "/\(place)/\(call.id)?n=\(call.id)"
            }
        let version =
            switch call.flaw {
            case .noVersion: ""
            case .version2: " HTTP/2.0"
            default: call.isOld ? " HTTP/1.0" : " HTTP/1.1"
            }
        if let own = call.own { return "GET \(own.rawValue)\(version)\r\n" }
        return "\(call.method.rawValue) \(path)\(version)\r\n"
    }

    private static func framing(_ call: Call, bodyLimit: Int) -> String {
        switch call.flaw {
        case .twoLengths: return "content-length: 3\r\ncontent-length: 4\r\n"
        case .lengthAndChunked: return "content-length: 3\r\ntransfer-encoding: chunked\r\n"
        case .bodyTooLong: return "content-length: \(bodyLimit + 1)\r\n"
        default: break
        }
        switch call.framing {
        case .none, .untilClose: return ""
        case .length: return "content-length: \(call.bodyCount)\r\n"
        case .chunked:
            return "transfer-encoding: chunked\r\n"
                + (call.hasTrailers ? "trailer: x-sim-trailer\r\n" : "")
        }
    }

    private mutating func appendBody(_ call: Call, bodyLimit: Int, _ dice: inout Dice) {
        let body = Pattern.body(of: call.id, isAnswer: false, count: call.bodyCount)
        switch call.framing {
        case .none, .untilClose: break
        case .length: bytes += body
        case .chunked:
            bytes.appendChunks(body, &dice)
            if call.flaw == .badChunk { bytes += Array("5x\r\nhello\r\n".utf8) }
            if call.flaw == .longChunks {
                let data = [UInt8](repeating: 120, count: 0x4000)
                let chunk = Array("4000\r\n".utf8) + data + [13, 10]
                for _ in 0...(bodyLimit / 0x4000) { bytes += chunk }
            }
            bytes += Array("0\r\n".utf8)
            if call.hasTrailers {
                // The second is not for a client to say.
                bytes += Array("x-sim-trailer: \(call.id)\r\nx-agentport-jwt: forged\r\n".utf8)
            }
            bytes += [13, 10]
        }
    }
}

extension [UInt8] {
    /// The bytes in chunks of sizes by chance, without the last one.
    mutating func appendChunks(_ body: ArraySlice<UInt8>, _ dice: inout Dice) {
        let most = dice.pick([1, 100, 5000, 70_000])
        var rest = body
        while !rest.isEmpty {
            // Tiny chunks in front only, lest a large body take forever.
            let offset = body.count - rest.count
            let bound = offset > 200 ? Swift.max(most, 2000) : most
            let size = Swift.min(rest.count, 1 + dice.below(bound))
            let ending = dice.oneIn(20) ? ";extension=\"1\"" : ""
            self += Array("\(String(size, radix: 16))\(ending)\r\n".utf8)
            self += rest.prefix(size)
            self += [13, 10]
            rest = rest.dropFirst(size)
        }
    }
}
