// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Reads the extensions of one chunk to see that they are some (RFC 9112 §7.1.1); what they say
/// concerns nobody here.
///
/// ```
/// chunk-ext     = *( ";" chunk-ext-name [ "=" chunk-ext-val ] )
/// chunk-ext-val = token / quoted-string
/// ```
///
/// The grammar's "bad" white space is refused, as it is between size and semicolon: parsers differ
/// in it, and no sender needs it.
struct ChunkExtension: Sendable {
    private enum Stage {
        /// After a semicolon.
        case nameStart
        case name
        /// After an equals sign.
        case valueStart
        case token
        case quoted
        /// After a backslash within quotes.
        case escaped
        case afterQuoted
    }

    private var stage = Stage.nameStart

    /// Takes a byte behind the first semicolon.
    ///
    /// - Returns: whether it was the CR that ends them.
    mutating func take(_ byte: UInt8) throws(BodyFault) -> Bool {
        switch stage {
        case .nameStart, .valueStart:
            try begin(byte)
        case .name, .token, .afterQuoted:
            if byte == .carriageReturn { return true }
            try goOn(byte)
        case .quoted:
            try quote(byte)
        case .escaped:
            guard Self.isText(byte) else { throw .chunkExtension }
            stage = .quoted
        }
        return false
    }

    private mutating func begin(_ byte: UInt8) throws(BodyFault) {
        if stage == .valueStart, byte == .quote {
            stage = .quoted
            return
        }
        guard byte.isTokenCharacter else { throw .chunkExtension }
        stage = stage == .nameStart ? .name : .token
    }

    private mutating func goOn(_ byte: UInt8) throws(BodyFault) {
        if byte == .semicolon {
            stage = .nameStart
        } else if stage == .name, byte == UInt8(ascii: "=") {
            stage = .valueStart
        } else {
            guard stage != .afterQuoted, byte.isTokenCharacter else { throw .chunkExtension }
        }
    }

    private mutating func quote(_ byte: UInt8) throws(BodyFault) {
        switch byte {
        case .quote: stage = .afterQuoted
        case .backslash: stage = .escaped
        default: guard Self.isText(byte) else { throw .chunkExtension }
        }
    }

    /// RFC 9110 §5.6.4: what may stand in quotes, escaped or not.
    private static func isText(_ byte: UInt8) -> Bool {
        byte == .tab || byte >= 0x20 && byte != 0x7F
    }
}
