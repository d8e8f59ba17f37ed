/**
 * The service manager beside systemd: the same units and scripts on both, and systemd's own tests,
 * of which {@code suite.txt} tells which run and what is missing for the others.
 */
@NullMarked
package io.holdfast.interop.manager;

import org.jspecify.annotations.NullMarked;
