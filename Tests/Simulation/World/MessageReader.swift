// SPDX-License-Identifier: Apache-2.0

/// Reads HTTP/1.1 messages, strictly and slowly: what the gateway writes is held against RFC 9112
/// by code that shares nothing with it.
struct MessageReader {
    struct Head {
        var first = ""
        var fields: [(name: String, value: String)] = []

        /// All values of a field, in order.
        func values(_ name: String) -> [String] {
            fields.filter { $0.name == name }.map(\.value)
        }

        subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

        /// The status of an answer.
        var status: Int { Int(first.dropFirst(9).prefix(3)) ?? 0 }
    }

    enum Event {
        case head(Head)
        case body(ArraySlice<UInt8>)
        case trailers(Head)
        case end
    }

    enum State: Equatable {
        case head
        case length(Int)
        case chunkSize, chunk(Int), chunkEnd, trailers
        case untilClose
        case broken
    }

    let isRequests: Bool
    private(set) var state = State.head
    private(set) var fault: String?
    private var bytes: [UInt8] = []
    private var start = 0
    private var searched = 0

    init(isRequests: Bool) { self.isRequests = isRequests }

    var isBetweenMessages: Bool { state == .head && start == bytes.count }
    /// What has come and is not read.
    var rest: ArraySlice<UInt8> { bytes[start...] }

    mutating func append(_ more: some Collection<UInt8>) {
        if start > 65_536 {
            bytes.removeFirst(start)
            searched -= start
            start = 0
        }
        bytes += more
    }

    /// - Parameter isBodyless: an answer to HEAD.
    mutating func next(isBodyless: Bool = false) -> Event? {
        while true {
            switch state {
            case .head:
                guard let section = section() else { return nil }
                return begin(section, isBodyless: isBodyless)
            case .length(let left):
                if left == 0 { return finish() }
                guard let piece = take(left) else { return nil }
                state = .length(left - piece.count)
                return .body(piece)
            case .chunkSize:
                guard let line = line() else { return nil }
                let digits = line.prefix { $0 != ";" }
                guard let size = Int(digits, radix: 16), !digits.isEmpty, size >= 0 else {
                    return fail("a chunk's size: \(line)")
                }
                state = size == 0 ? .trailers : .chunk(size)
            case .chunk(let left):
                guard let piece = take(left) else { return nil }
                state = piece.count == left ? .chunkEnd : .chunk(left - piece.count)
                return .body(piece)
            case .chunkEnd:
                guard let line = line() else { return nil }
                guard line.isEmpty else { return fail("a chunk's end") }
                state = .chunkSize
            case .trailers: return trailers()
            case .untilClose:
                guard let piece = take(.max) else { return nil }
                return .body(piece)
            case .broken: return nil
            }
        }
    }

    /// The peer's FIN: whether what has come is whole then.
    mutating func end() -> Bool {
        guard state == .untilClose else { return isBetweenMessages }
        state = .head
        return true
    }

    // MARK: Parts

    private mutating func begin(_ head: Head, isBodyless: Bool) -> Event? {
        let lengths = head.values("content-length")
        let codings = head.values("transfer-encoding")
        guard lengths.count <= 1, codings.count <= 1, lengths.isEmpty || codings.isEmpty,
            codings.isEmpty || codings == ["chunked"]
        else { return fail("framing: \(head.fields)") }
        let status = head.status
        let isEmpty =
            isBodyless || (!isRequests && (status < 200 || status == 204 || status == 304))
        if isEmpty {
            state = .length(0)
        } else if !codings.isEmpty {
            state = .chunkSize
        } else if let length = lengths.first {
            guard let count = Int(length), count >= 0 else { return fail("a length: \(length)") }
            state = .length(count)
        } else {
            state = isRequests ? .length(0) : .untilClose
        }
        return .head(head)
    }

    private mutating func trailers() -> Event? {
        guard start + 2 <= bytes.count else { return nil }
        if bytes[start] == 13, bytes[start + 1] == 10 {
            start += 2
            return finish()
        }
        guard let end = sectionEnd() else { return nil }
        var fields: [(name: String, value: String)] = []
        for text in text(start..<end - 4).split(separator: "\r\n") {
            guard let field = Self.field(text) else { return fail("a trailer: \(text)") }
            fields.append(field)
        }
        start = end - 2
        return .trailers(Head(first: "", fields: fields))
    }

    private mutating func finish() -> Event {
        state = .head
        searched = start
        return .end
    }

    private mutating func fail(_ reason: String) -> Event? {
        state = .broken
        fault = reason
        return nil
    }

    // MARK: Bytes

    private mutating func take(_ most: Int) -> ArraySlice<UInt8>? {
        let count = min(most, bytes.count - start)
        guard count > 0 else { return nil }
        defer { start += count }
        return bytes[start..<start + count]
    }

    private mutating func line() -> String? {
        var at = start
        while at + 1 < bytes.count {
            if bytes[at] == 13, bytes[at + 1] == 10 {
                defer { start = at + 2 }
                return text(start..<at)
            }
            at += 1
        }
        if bytes.count - start > 100 { _ = fail("a long chunk line") }
        return nil
    }

    /// Behind the empty line, if that is there.
    private mutating func sectionEnd() -> Int? {
        var at = max(start, searched - 3)
        while at + 3 < bytes.count {
            if bytes[at] == 13, bytes[at + 1] == 10, bytes[at + 2] == 13, bytes[at + 3] == 10 {
                return at + 4
            }
            at += 1
        }
        searched = bytes.count
        return nil
    }

    private mutating func section() -> Head? {
        guard let end = sectionEnd() else { return nil }
        let lines = text(start..<end - 4).split(separator: "\r\n", omittingEmptySubsequences: false)
        start = end
        searched = end
        var fields: [(name: String, value: String)] = []
        for line in lines.dropFirst() {
            guard let field = Self.field(line) else {
                _ = fail("a field: \(line)")
                return nil
            }
            fields.append(field)
        }
        let first = String(lines[0])
        let isLine = isRequests ? first.hasSuffix(" HTTP/1.1") : first.hasPrefix("HTTP/1.1 ")
        guard isLine else {
            _ = fail("a first line: \(first)")
            return nil
        }
        return Head(first: first, fields: fields)
    }

    private static func field(_ line: Substring) -> (name: String, value: String)? {
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else { return nil }
        let name = line[..<colon].lowercased()
        guard !name.contains(" "), !line.contains("\n"), !line.contains("\r") else { return nil }
        return (name, String(line[line.index(after: colon)...].drop { $0 == " " }))
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }
}
