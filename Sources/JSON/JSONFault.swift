// SPDX-License-Identifier: Apache-2.0

/// Why a text is not JSON, and where.
package struct JSONFault: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case byteOrderMark
        case invalidUTF8
        case unexpectedEnd
        case expectedValue
        case expectedName
        case expectedColon
        case expectedCommaOrEnd
        case trailingBytes
        case tooDeep
        case duplicateName
        case malformedNumber
        case malformedEscape
        case controlInString
        case loneSurrogate
        case unclosedString
        case unclosedComment
    }

    package let reason: Reason
    /// The byte at which the fault was seen; for something unclosed, where it was opened.
    package let offset: Int
    /// The value (for ``Reason/duplicateName`` the member) that was being read.
    package let pointer: JSONPointer
}

extension JSONFault.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .byteOrderMark: "a byte order mark is not allowed"
        case .invalidUTF8: "invalid UTF-8"
        case .unexpectedEnd: "the text ends too early"
        case .expectedValue: "a value was expected"
        case .expectedName: "a name in double quotes was expected"
        case .expectedColon: "`:` was expected"
        case .expectedCommaOrEnd: "`,` or the closing bracket was expected"
        case .trailingBytes: "nothing may follow the value"
        case .tooDeep: "nested more than \(JSONReader.depthMax) deep"
        case .duplicateName: "this name stands twice in one object"
        case .malformedNumber: "malformed number"
        case .malformedEscape: "malformed escape"
        case .controlInString: "a control character in a string must be escaped"
        case .loneSurrogate: "a surrogate without its other half"
        case .unclosedString: "the string is never closed"
        case .unclosedComment: "the comment is never closed"
        }
    }
}
