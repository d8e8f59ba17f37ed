/**
 * Journal files of systemd: reading, following, writing and verifying them, without libsystemd.
 *
 * <p>{@link io.holdfast.journal.JournalReader} reads one file or the files of a folder as one
 * stream of {@linkplain io.holdfast.journal.Entry entries}. {@link
 * io.holdfast.journal.JournalWriter} writes files that {@code journalctl --file} reads. {@link
 * io.holdfast.journal.JournalVerifier} checks a file. {@link io.holdfast.journal.ExportWriter},
 * {@link io.holdfast.journal.ExportReader} and {@link io.holdfast.journal.JsonWriter} convert
 * entries.
 */
@NullMarked
package io.holdfast.journal;

import org.jspecify.annotations.NullMarked;
