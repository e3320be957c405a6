-- The messages whose turn it is: no earlier one about the same incident waits in their channel

CREATE VIEW workflow_monitor.notifications_in_turn AS
SELECT message.*
FROM workflow_monitor.notification_logs AS message
WHERE NOT EXISTS (
    SELECT
    FROM workflow_monitor.notification_logs AS earlier
    WHERE message.delivery_status = 'PENDING'
      AND earlier.incident_id = message.incident_id AND earlier.channel = message.channel
      AND earlier.delivery_status IN ('PENDING', 'PROCESSING')
      -- those of the same moment in the order in which things happen to an incident
      AND (
          earlier.created_at,
          array_position(
              '{opened,acknowledged,reminder,escalation,resolved}', earlier.notification_type
          ),
          earlier.notification_id
      ) < (
          message.created_at,
          array_position(
              '{opened,acknowledged,reminder,escalation,resolved}', message.notification_type
          ),
          message.notification_id
      )
      -- an escalation that was not tried yet may wait for hours, until a silence ends: meanwhile
      -- people hear who looks after it, and that it is over
      AND NOT (
          earlier.notification_type = 'escalation' AND earlier.delivery_status = 'PENDING'
          AND earlier.retry_count = 0 AND earlier.digest_id IS NULL
          AND message.notification_type NOT IN ('reminder', 'escalation')
      )
);
