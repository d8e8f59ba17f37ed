package io.holdfast.journal;

import java.time.Instant;

/**
 * A boot of which entries are in the journal: what {@code journalctl --list-boots} prints.
 *
 * @param id the boot
 * @param first the time of its first entry
 * @param last the time of its last entry
 */
public record Boot(Id128 id, Instant first, Instant last) {}
