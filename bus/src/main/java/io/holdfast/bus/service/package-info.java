/** Service files, which describe how a name is started, and the interface of what starts it. */
@NullMarked
package io.holdfast.bus.service;

import org.jspecify.annotations.NullMarked;
