/** The service manager beside systemd: the same units and scripts on both. */
@NullMarked
package io.holdfast.interop.manager;

import org.jspecify.annotations.NullMarked;
