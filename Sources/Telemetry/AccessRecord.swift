// SPDX-License-Identifier: Apache-2.0

/// What the access log tells of one request, but for its texts.
package struct AccessRecord: Sendable {
    package var level = LogLevel.info
    /// When the answer ended, since the epoch.
    package var realtimeNanoseconds: UInt64 = 0
    /// What the client was answered; 0 where it went away before.
    package var status = 0
    /// Indices of the ``MetricsSchema``; -1 where there is none.
    package var code = 0
    package var filter = -1
    /// The code that a filter in shadow would have refused with.
    package var shadow = -1
    package var route = MetricsSchema.unrouted
    package var upstream = -1
    /// 0 where the upstream did not answer.
    package var upstreamStatus = 0
    package var bytesIn: UInt64 = 0
    package var bytesOut: UInt64 = 0
    package var durationMicroseconds: UInt64 = 0
    /// Own time, without the upstream's.
    package var gatewayMicroseconds: UInt64 = 0

    package init() {}
}
