-- Lists go by arrival, because the clocks of senders differ: "since" and "the latest" are this machine's.
CREATE INDEX trace_by_arrival ON trace (received DESC, start_ns DESC, trace_id);
CREATE INDEX log_by_arrival ON log (received);
CREATE INDEX log_of_group_by_arrival ON log (group_name, received);
