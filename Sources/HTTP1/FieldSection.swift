// SPDX-License-Identifier: Apache-2.0
import Bytes

/// The fields of a head, in the order sent, and which names are among them.
@usableFromInline
package struct FieldSection: ~Copyable {
    /// Invariant: the first `count` words are packed ``HeaderField``s.
    @usableFromInline
    var words = WordTable(capacity: HeadLimits.fieldCountMax)
    /// Invariant: 0 ≤ count ≤ HeadLimits.fieldCountMax.
    @usableFromInline
    package internal(set) var count = 0
    /// A bit for each name that is there, so that a search for one that is not costs no loop.
    @usableFromInline
    var present: UInt64 = 0
    /// A bit for each name that is there more than once.
    @usableFromInline
    var repeated: UInt64 = 0

    init() {}

    @inlinable
    package subscript(index: Int) -> HeaderField {
        precondition(index >= 0 && index < count)
        return HeaderField(word: words[index])
    }

    @inlinable
    package func contains(_ name: FieldName) -> Bool { present & name.bit != 0 }

    @inlinable
    package func isRepeated(_ name: FieldName) -> Bool { repeated & name.bit != 0 }

    /// The index of the first field of that name.
    @inlinable
    package func first(_ name: FieldName) -> Int? {
        guard contains(name) else { return nil }
        return next(name, from: 0)
    }

    /// The index of the first field of that name at or after `index`.
    @inlinable
    package func next(_ name: FieldName, from index: Int) -> Int? {
        guard contains(name) else { return nil }
        var index = index
        while index < count {
            if HeaderField.name(ofWord: words[index]) == name.rawValue { return index }
            index &+= 1
        }
        return nil
    }

    package func count(of name: FieldName) -> Int {
        guard isRepeated(name) else { return contains(name) ? 1 : 0 }
        var found = 0
        for index in 0..<count where HeaderField.name(ofWord: words[index]) == name.rawValue {
            found += 1
        }
        return found
    }

    mutating func reset() {
        count = 0
        present = 0
        repeated = 0
    }

    @inline(__always)
    mutating func append(_ line: FieldLine) {
        words[count] = HeaderField.word(line)
        count &+= 1
        repeated |= present & line.kind.bit
        present |= line.kind.bit
    }
}

/// Where a walk over the lines of a head stands.
struct FieldCursor {
    /// Where the next line begins.
    var offset = 0
    /// See ``FieldLine/scan(_:at:scanned:)``.
    var scanned = 0
    /// Field lines seen, those before a pause among them.
    var lines = 0

    /// Reads field lines up to the empty one; true once that has been read.
    mutating func walk(
        _ bytes: Span<UInt8>, fieldCount: Int, into fields: inout FieldSection
    ) throws(HeadFault) -> Bool {
        while offset < bytes.count {
            if bytes[offset] == .carriageReturn {
                guard offset &+ 1 < bytes.count else { return false }
                guard bytes[offset &+ 1] == .lineFeed else {
                    throw .malformed(.bareCarriageReturn)
                }
                offset &+= 2
                return true
            }
            guard let line = try FieldLine.scan(bytes, at: offset, scanned: &scanned) else {
                return false
            }
            guard lines < fieldCount else { throw .headersTooLarge }
            fields.append(line)
            lines &+= 1
            offset = line.end
            scanned = 0
        }
        return false
    }
}
