// SPDX-License-Identifier: Apache-2.0

/// What is kept of a handshake whose client was asked for its certificate, from the server's flight
/// to the client's Finished (RFC 8446 §4.4): the transcript goes on, so nothing that depends on its
/// end is known before.
final class ClientAuthentication {
    /// Of a CertificateVerify whose signature is by the largest key that is taken.
    static let proofMax = HandshakeMessage.headerCount + 4 + 1024

    let proof: ClientProof
    /// At the master secret.
    let schedule: KeySchedule
    /// What the client's Finished is made with.
    let finishedKey: Secret
    let transcript: SavedTranscript
    /// Random, to hide the ticket's age (§4.6.1); `nil` where the client wants no ticket.
    let ticketAge: [UInt8]?
    /// The client's Certificate message as it came, until it is proven: nothing is spent on it
    /// before, and no more memory than the client has sent.
    var shown: [UInt8] = []

    init(
        _ proof: ClientProof, _ schedule: consuming KeySchedule, finishedKey: consuming Secret,
        _ transcript: consuming SavedTranscript, ticketAge: [UInt8]?
    ) {
        self.proof = proof
        self.schedule = schedule
        self.finishedKey = finishedKey
        self.transcript = transcript
        self.ticketAge = ticketAge
    }
}
