// SPDX-License-Identifier: Apache-2.0

/// A call's answer as its upstream writes it.
struct AnswerText {
    private(set) var bytes: [UInt8] = []
    /// Where the upstream ends the connection; all of it, unless the answer is to be cut.
    private(set) var end = 0
    /// Where the answer itself ends.
    private(set) var wholeCount = 0

    init(_ call: Call, id: Int, _ dice: inout Dice) {
        let answer = call.answer
        switch answer.fault {
        case .garbage(let number): bytes = Array(Self.garbage[number].utf8)
        case .switching:
            bytes = Array("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n".utf8)
        default: write(call, id: id, &dice)
        }
        end = bytes.count
        wholeCount = end
        if case .cut(let hundredths, _) = answer.fault {
            end = max(1, min(bytes.count - 1, bytes.count * hundredths / 100))
        }
        if answer.isFollowed {
            // Nobody asked for it; whoever gets it gets another's answer.
            let text = "x-sim-id: \(Self.poisonID)\r\ncontent-length: 6\r\n\r\npoison"
            bytes += Array("HTTP/1.1 200 OK\r\n\(text)".utf8)
            end = bytes.count
        }
    }

    /// All of it leaves, though it was to be cut.
    mutating func forgetCut() { end = bytes.count }

    private mutating func write(_ call: Call, id: Int, _ dice: inout Dice) {
        let answer = call.answer
        for number in 0..<answer.interims {
            bytes += Array("HTTP/1.1 103 Early Hints\r\nlink: </\(number)>\r\n\r\n".utf8)
        }
        var head = "HTTP/1.1 \(answer.status) Fine\r\nx-sim-id: \(id)\r\n"
        // An upstream may not speak in the gateway's name.
        if dice.oneIn(8) { head += "x-agentport-session: forged\r\n" }
        if answer.fault == .hugeHead {
            head += (0..<60).map { "x-huge-\($0): \(String(repeating: "h", count: 900))\r\n" }
                .joined()
        }
        if answer.closes || (answer.framing == .untilClose && dice.oneIn(2)) {
            head += "connection: close\r\n"
        }
        let hasBody = !answer.isBodyless && call.method != .head
        if !answer.isBodyless {
            switch answer.framing {
            case .length, .none: head += "content-length: \(answer.bodyCount)\r\n"
            case .chunked: head += "transfer-encoding: chunked\r\n"
            case .untilClose: break
            }
        }
        bytes += Array((head + "\r\n").utf8)
        guard hasBody else { return }
        let body = Pattern.body(of: id, isAnswer: true, count: answer.bodyCount)
        guard answer.framing == .chunked else {
            bytes += body
            return
        }
        bytes.appendChunks(body, &dice)
        bytes += Array((answer.fault == .badChunk ? "zz\r\n" : "0\r\n").utf8)
        if answer.hasTrailers { bytes += Array("x-sim-trailer: \(id)\r\n".utf8) }
        bytes += [13, 10]
    }

    /// Names an answer that belongs to no call.
    static let poisonID = 1

    /// Each is no answer.
    static let garbage = [
        "HTTP/1.1 OK\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}\r\n\r\n", "HTTP/1.1 200 OK\nbare: 1\n\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header: 1\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ]
}
