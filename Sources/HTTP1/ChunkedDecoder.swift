// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Takes the chunked coding apart (RFC 9112 §7.1), strictly: CRLF alone ends a line, a size is
/// hexadecimal digits alone.
///
/// ```
/// loop: event = decoder.next(bytes, from: offset); offset = event.consumed
///       needMore → wait     data → pass on     trailer → judge, pass on     end → done
/// ```
///
/// Chunk extensions are checked and dropped (RFC 9112 §7.1.1 lets any recipient do so). It can be
/// stopped at any byte; only an unfinished trailer line is left for the caller to keep.
package struct ChunkedDecoder: Sendable {
    /// Digits of a chunk size, leading zeros among them.
    package static var sizeDigitsMax: Int { 16 }
    /// Bytes of extensions, from the first semicolon to the CR.
    package static var extensionBytesPerChunkMax: Int { 256 }
    package static var extensionBytesPerBodyMax: Int { 4096 }
    /// The trailer section with all its line ends but the last.
    package static var trailerBytesMax: Int { 8192 }
    package static var trailerFieldsMax: Int { 100 }

    private enum Stage {
        case size, chunkExtension, sizeLineFeed, data, dataCarriageReturn, dataLineFeed
        case trailer, done
    }

    private var stage = Stage.size
    private var digits = 0
    /// Invariant: below 2^63. While the size is read, what it is so far; then what of the chunk
    /// is still to come.
    private var remaining: UInt64 = 0
    private var chunkExtension = ChunkExtension()
    private var extensionBytes = 0
    private var extensionBytesOfBody = 0
    private var trailerBytes = 0
    private var trailerFields = 0
    /// Of an unfinished trailer line, how many bytes from its start are known to be good.
    private var scanned = 0
    /// The fault that ended it: a decoder that has failed does not recover.
    private var fault: BodyFault?

    package init() {}

    package var isComplete: Bool { stage == .done }

    /// Content of the present chunk that its size has announced and that is still to come.
    package var announced: UInt64 { stage == .data ? remaining : 0 }

    /// - Parameter offset: where the last event's `consumed` left off.
    package mutating func next(
        _ bytes: Span<UInt8>, from offset: Int
    ) throws(BodyFault) -> ChunkedEvent {
        if let fault { throw fault }
        do {
            return try advance(bytes, from: offset)
        } catch {
            fault = error
            throw error
        }
    }

    private mutating func advance(
        _ bytes: Span<UInt8>, from start: Int
    ) throws(BodyFault) -> ChunkedEvent {
        var offset = start
        while offset < bytes.count {
            let byte = bytes[offset]
            switch stage {
            case .size:
                try readSize(byte)
            case .chunkExtension:
                try readExtension(byte)
            case .sizeLineFeed:
                guard byte == .lineFeed else { throw .chunkSize }
                beginChunk()
            case .data:
                let end = offset &+ Int(min(UInt64(bytes.count &- offset), remaining))
                remaining &-= UInt64(end &- offset)
                if remaining == 0 { stage = .dataCarriageReturn }
                return .data(offset..<end)
            case .dataCarriageReturn:
                guard byte == .carriageReturn else { throw .chunkDelimiter }
                stage = .dataLineFeed
            case .dataLineFeed:
                guard byte == .lineFeed else { throw .chunkDelimiter }
                stage = .size
                digits = 0
            case .trailer:
                return try readTrailer(bytes, from: offset)
            case .done:
                return .end(offset: offset)
            }
            offset &+= 1
        }
        return stage == .done ? .end(offset: offset) : .needMore(consumed: offset)
    }

    private mutating func readSize(_ byte: UInt8) throws(BodyFault) {
        if let digit = Hex.value(byte) {
            guard digits < Self.sizeDigitsMax, remaining < 1 << 59 else { throw .chunkSize }
            digits &+= 1
            remaining = remaining << 4 | UInt64(digit)
            return
        }
        guard digits > 0 else { throw .chunkSize }
        switch byte {
        case .carriageReturn:
            stage = .sizeLineFeed
        case .semicolon:
            extensionBytes = 0
            chunkExtension = ChunkExtension()
            stage = .chunkExtension
            try countExtensionByte()
        default:
            // White space too: "bad" white space by RFC 9112 §7.1.1, which some parsers take for
            // the end of the size and some do not.
            throw .chunkSize
        }
    }

    private mutating func readExtension(_ byte: UInt8) throws(BodyFault) {
        if try chunkExtension.take(byte) {
            stage = .sizeLineFeed
        } else {
            try countExtensionByte()
        }
    }

    private mutating func countExtensionByte() throws(BodyFault) {
        extensionBytes &+= 1
        extensionBytesOfBody &+= 1
        guard extensionBytes <= Self.extensionBytesPerChunkMax,
            extensionBytesOfBody <= Self.extensionBytesPerBodyMax
        else { throw .chunkExtensionTooLong }
    }

    private mutating func beginChunk() {
        stage = remaining == 0 ? .trailer : .data
    }

    private mutating func readTrailer(
        _ bytes: Span<UInt8>, from start: Int
    ) throws(BodyFault) -> ChunkedEvent {
        let room = Self.trailerBytesMax &- trailerBytes
        if bytes[start] == .carriageReturn {
            guard start &+ 1 < bytes.count else { return .needMore(consumed: start) }
            guard bytes[start &+ 1] == .lineFeed else { throw .trailer }
            stage = .done
            return .end(offset: start &+ 2)
        }
        let window = bytes.extracting(start..<min(bytes.count, start &+ room))
        guard let line = try Self.scanLine(window, scanned: &scanned) else {
            if window.count == room { throw .trailerTooLarge }
            return .needMore(consumed: start)
        }
        scanned = 0
        trailerBytes &+= line.end
        trailerFields &+= 1
        guard trailerFields <= Self.trailerFieldsMax else { throw .trailerTooLarge }
        guard !line.kind.isRefusedInTrailers else { throw .trailerForbidden }
        return .trailer(
            TrailerField(
                name: (start &+ line.name.lowerBound)..<(start &+ line.name.upperBound),
                value: (start &+ line.value.lowerBound)..<(start &+ line.value.upperBound),
                kind: line.kind, end: start &+ line.end))
    }

    private static func scanLine(
        _ bytes: Span<UInt8>, scanned: inout Int
    ) throws(BodyFault) -> FieldLine? {
        do {
            return try FieldLine.scan(bytes, at: 0, scanned: &scanned)
        } catch .headersTooLarge {
            throw .trailerTooLarge
        } catch {
            throw .trailer
        }
    }
}
