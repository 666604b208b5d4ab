// SPDX-License-Identifier: Apache-2.0

import CLinux

/// A named POSIX thread.
package struct Thread: ~Copyable {
    private let handle: pthread_t

    private final class Body {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// - Parameter name: at most 15 bytes are shown by the kernel.
    package init(name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) {
        var handle = pthread_t()
        let body = unsafe Unmanaged.passRetained(Body(name: name, run: run))
        // SAFETY: the retained body is taken back exactly once, by the new thread.
        let result = unsafe pthread_create(
            &handle, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                unsafe cl_name_thread(body.name)
                body.run()
                return nil
            }, body.toOpaque())
        guard result == 0 else {
            unsafe body.release()
            throw SystemError("pthread_create", number: result)
        }
        self.handle = handle
    }

    /// One that nobody waits for gives its memory back by itself.
    deinit {
        pthread_detach(handle)
    }

    /// Waits for the thread's end.
    package consuming func join() {
        _ = pthread_join(handle, nil)
        discard self
    }
}
