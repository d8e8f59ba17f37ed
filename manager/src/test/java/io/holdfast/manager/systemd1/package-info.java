@NullMarked
package io.holdfast.manager.systemd1;

import org.jspecify.annotations.NullMarked;
