// SPDX-License-Identifier: Apache-2.0

/// Keeps noncopyable values at stable addresses under small indices, each tenancy with a
/// generation of its own.
///
/// Slots are allocated by segments and never move; a freed slot is used again first, while its
/// memory is warm. Generations start at 1, so that a zeroed token names nothing.
@safe
@usableFromInline
package struct SlotTable<Element: ~Copyable>: ~Copyable {
    @usableFromInline
    static var segmentCapacity: Int { 64 }

    @usableFromInline
    struct Slot: ~Copyable {
        /// Odd while occupied, even while free.
        @usableFromInline
        var generation: UInt32
        @usableFromInline
        var nextFree: Int32

        @inlinable
        init(generation: UInt32, nextFree: Int32) {
            self.generation = generation
            self.nextFree = nextFree
        }
    }

    @usableFromInline
    package let kind: UInt8
    @usableFromInline
    package let capacity: Int
    @usableFromInline package internal(set) var count = 0
    /// Invariant: `segmentsInUse` segments of `segmentCapacity` slots each; an element's memory
    /// is initialised exactly while its slot's generation is odd.
    @usableFromInline
    let elements: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
    @usableFromInline
    let slots: UnsafeMutablePointer<UnsafeMutablePointer<Slot>>
    @usableFromInline var segmentsInUse = 0
    @usableFromInline var firstFree: Int32 = -1

    @inlinable
    package init(kind: UInt8, capacity: Int) {
        precondition(capacity > 0 && capacity <= 0xFF_FFFF)
        self.kind = kind
        self.capacity = capacity
        let segments = (capacity + Self.segmentCapacity - 1) / Self.segmentCapacity
        unsafe elements = .allocate(capacity: segments)
        unsafe slots = .allocate(capacity: segments)
    }

    @inlinable
    deinit {
        for segment in 0..<segmentsInUse {
            for offset in 0..<Self.segmentCapacity
            where unsafe slots[segment][offset].generation & 1 == 1 {
                unsafe (elements[segment] + offset).deinitialize(count: 1)
            }
            unsafe elements[segment].deallocate()
            unsafe slots[segment].deallocate()
        }
        unsafe elements.deallocate()
        unsafe slots.deallocate()
    }

    /// One past the highest index ever used: the end of a walk over all slots.
    @inlinable
    package var indexEnd: Int { min(capacity, segmentsInUse * Self.segmentCapacity) }

    /// Moves the value in; where the table is full, destroys it and answers `nil`.
    @inlinable
    package mutating func insert(_ element: consuming Element) -> Int? {
        guard count < capacity else { return nil }
        if firstFree < 0 { addSegment() }
        let index = Int(firstFree)
        let segment = index / Self.segmentCapacity
        let offset = index % Self.segmentCapacity
        firstFree = unsafe slots[segment][offset].nextFree
        unsafe slots[segment][offset].generation &+= 1
        unsafe (elements[segment] + offset).initialize(to: element)
        count += 1
        return index
    }

    @inlinable
    package mutating func remove(at index: Int) -> Element {
        precondition(isOccupied(index))
        let segment = index / Self.segmentCapacity
        let offset = index % Self.segmentCapacity
        unsafe slots[segment][offset].generation &+= 1
        unsafe slots[segment][offset].nextFree = firstFree
        firstFree = Int32(truncatingIfNeeded: index)
        count -= 1
        return unsafe (elements[segment] + offset).move()
    }

    @inlinable
    package func isOccupied(_ index: Int) -> Bool {
        guard index >= 0, index < segmentsInUse * Self.segmentCapacity else { return false }
        let offset = index % Self.segmentCapacity
        return unsafe slots[index / Self.segmentCapacity][offset].generation & 1 == 1
    }

    /// The name of the slot's present tenancy.
    @inlinable
    package func token(at index: Int) -> SlotToken {
        let offset = index % Self.segmentCapacity
        let generation = unsafe slots[index / Self.segmentCapacity][offset].generation
        return SlotToken(kind: kind, index: index, generation: generation)
    }

    /// The token's index, if the tenancy that it names still lasts.
    @inlinable
    package func resolve(_ token: SlotToken) -> Int? {
        let index = token.index
        guard token.kind == kind, isOccupied(index), self.token(at: index) == token else {
            return nil
        }
        return index
    }

    @inlinable
    package subscript(index: Int) -> Element {
        unsafeAddress {
            // SAFETY: indices come from insert and resolve alone; elements never move.
            let segment = unsafe elements[index / Self.segmentCapacity]
            return unsafe UnsafePointer(segment + index % Self.segmentCapacity)
        }
        unsafeMutableAddress {
            unsafe elements[index / Self.segmentCapacity] + index % Self.segmentCapacity
        }
    }

    @inlinable
    mutating func addSegment() {
        let segment = segmentsInUse
        unsafe elements[segment] = .allocate(capacity: Self.segmentCapacity)
        unsafe slots[segment] = .allocate(capacity: Self.segmentCapacity)
        for offset in stride(from: Self.segmentCapacity - 1, through: 0, by: -1) {
            let index = segment * Self.segmentCapacity + offset
            guard index < capacity else {
                unsafe (slots[segment] + offset).initialize(to: Slot(generation: 0, nextFree: -1))
                continue
            }
            let slot = Slot(generation: 0, nextFree: firstFree)
            unsafe (slots[segment] + offset).initialize(to: slot)
            firstFree = Int32(truncatingIfNeeded: index)
        }
        segmentsInUse += 1
    }
}
