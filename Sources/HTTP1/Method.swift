// SPDX-License-Identifier: Apache-2.0
import Bytes

/// Methods of RFC 9110 §9 and PATCH (RFC 5789); names are case-sensitive, so `get` is ``other``.
package enum Method: UInt8, Sendable {
    case get, head, post, put, delete, options, patch, trace, connect, other

    /// A method name longer than this is malformed: no registered one comes near it.
    @inlinable package static var lengthMax: Int { 32 }

    package init(_ name: Span<UInt8>) {
        guard name.count <= 8 else {
            self = .other
            return
        }
        self.init(word: name.word(at: 0, count: name.count))
    }

    /// - Parameter word: the name's bytes, the first lowest, zero above them.
    init(word: UInt64) {
        if word == ("GET" as StaticString).firstWord {
            self = .get
        } else if word == ("POST" as StaticString).firstWord {
            self = .post
        } else if word == ("HEAD" as StaticString).firstWord {
            self = .head
        } else if word == ("PUT" as StaticString).firstWord {
            self = .put
        } else if word == ("DELETE" as StaticString).firstWord {
            self = .delete
        } else if word == ("OPTIONS" as StaticString).firstWord {
            self = .options
        } else if word == ("PATCH" as StaticString).firstWord {
            self = .patch
        } else if word == ("TRACE" as StaticString).firstWord {
            self = .trace
        } else if word == ("CONNECT" as StaticString).firstWord {
            self = .connect
        } else {
            self = .other
        }
    }
}
