//! Honeycomb: whose key it is, deep links, boards, saved queries, and query results where the plan has them.
