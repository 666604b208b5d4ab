// SPDX-License-Identifier: Apache-2.0

import Bytes
import CLinux

/// What a descriptor is watched for.
///
/// Plain bits rather than an `OptionSet`, whose array literals cost two thousand instructions a
/// request across modules.
package struct Interest: Equatable, Sendable {
    package let rawValue: UInt32

    package static let none = Interest(rawValue: 0)
    package static let readable = Interest(rawValue: CL_EPOLLIN)
    package static let writable = Interest(rawValue: CL_EPOLLOUT)
    /// The peer's FIN, even while reading is paused.
    package static let peerClosed = Interest(rawValue: CL_EPOLLRDHUP)

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package init(readable: Bool, writable: Bool) {
        rawValue = (readable ? CL_EPOLLIN : 0) | (writable ? CL_EPOLLOUT : 0)
    }

    package var isReadable: Bool { rawValue & CL_EPOLLIN != 0 }
    package var isWritable: Bool { rawValue & CL_EPOLLOUT != 0 }

    package func union(_ other: Interest) -> Interest {
        Interest(rawValue: rawValue | other.rawValue)
    }
}

/// One readiness report of the kernel.
package struct Event {
    package let token: SlotToken
    package let bits: UInt32

    package var isReadable: Bool { bits & (CL_EPOLLIN | CL_EPOLLHUP | CL_EPOLLERR) != 0 }
    package var isWritable: Bool { bits & (CL_EPOLLOUT | CL_EPOLLHUP | CL_EPOLLERR) != 0 }
    package var isPeerClosed: Bool { bits & CL_EPOLLRDHUP != 0 }
    /// Reset, or closed both ways: reported whatever the interest was.
    package var isBroken: Bool { bits & (CL_EPOLLHUP | CL_EPOLLERR) != 0 }
}

/// The smallest honest reactor: watch descriptors, wait, hand out what happened.
///
/// Level-triggered: a short read needs no second read to find EAGAIN, which edge triggering
/// would cost on either side of each request.
@safe
package struct EventLoop: ~Copyable {
    package static let eventCapacity = 256

    private let epoll: Descriptor
    private let events: UnsafeMutablePointer<epoll_event>

    package init() throws(SystemError) {
        let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("epoll_create1") }
        epoll = Descriptor(owning: descriptor)
        unsafe events = .allocate(capacity: Self.eventCapacity)
    }

    deinit {
        unsafe events.deallocate()
    }

    package func add(
        _ descriptor: borrowing Descriptor, _ interest: Interest, token: SlotToken
    ) throws(SystemError) {
        try control(EPOLL_CTL_ADD, descriptor, interest, token)
    }

    package func modify(
        _ descriptor: borrowing Descriptor, _ interest: Interest, token: SlotToken
    ) throws(SystemError) {
        try control(EPOLL_CTL_MOD, descriptor, interest, token)
    }

    package func remove(_ descriptor: borrowing Descriptor) {
        _ = cl_epoll_control(epoll.rawValue, EPOLL_CTL_DEL, descriptor.rawValue, 0, 0)
    }

    /// Waits until something is ready or `milliseconds` have passed (negative: without end).
    ///
    /// - Returns: how many events ``event(at:)`` can tell of; 0 also when a signal interrupted.
    package mutating func wait(milliseconds: Int) -> Int {
        let timeout = Int32(clamping: milliseconds)
        // SAFETY: `events` has room for eventCapacity reports.
        let count = unsafe epoll_wait(
            epoll.rawValue, events, Int32(Self.eventCapacity), timeout)
        return max(0, Int(count))
    }

    package func event(at index: Int) -> Event {
        precondition(index >= 0 && index < Self.eventCapacity)
        let event = unsafe events[index]
        return unsafe Event(token: SlotToken(rawValue: event.data.u64), bits: event.events)
    }

    private func control(
        _ operation: Int32, _ descriptor: borrowing Descriptor, _ interest: Interest,
        _ token: SlotToken
    ) throws(SystemError) {
        let result = cl_epoll_control(
            epoll.rawValue, operation, descriptor.rawValue, interest.rawValue, token.rawValue)
        guard result == 0 else { throw SystemError("epoll_ctl") }
    }
}
