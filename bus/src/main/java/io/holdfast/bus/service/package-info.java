/** Service files, which say how a name is started, and who starts it. */
@NullMarked
package io.holdfast.bus.service;

import org.jspecify.annotations.NullMarked;
