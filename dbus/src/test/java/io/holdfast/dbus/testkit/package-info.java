/** The real message buses, for tests here and in the modules above. */
@NullMarked
package io.holdfast.dbus.testkit;

import org.jspecify.annotations.NullMarked;
