/**
 * The service manager beside systemd: the same units and scripts on both, and systemd's own tests,
 * for which {@code suite.txt} states which run and what is missing for the others.
 */
@NullMarked
package io.holdfast.interop.manager;

import org.jspecify.annotations.NullMarked;
