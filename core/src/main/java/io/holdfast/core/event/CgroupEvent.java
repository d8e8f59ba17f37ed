package io.holdfast.core.event;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A change of a cgroup. */
@Name("io.holdfast.Cgroup")
@Label("Cgroup Change")
@Description("A cgroup was made, removed, killed, frozen or thawed, or a process was moved to it")
@Category("Holdfast")
@StackTrace(true)
final class CgroupEvent extends Event {
    @Label("Cgroup")
    @Description("Its path below the mount of cgroup2")
    String path = "";

    @Label("Id")
    @Description("The id that the kernel gives to no other cgroup of the same boot")
    long id;

    @Label("Change")
    String change = "";

    @Label("Process")
    @Description("The process that was moved")
    String process = "";
}
