/** The receiver of log messages and the journal library, beside systemd-journald and journalctl. */
@NullMarked
package io.holdfast.benchmarks.journal;

import org.jspecify.annotations.NullMarked;
