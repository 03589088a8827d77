-- A name that an organization gave up is refused here and not by a look beforehand: an insert that waits for the rename
-- to commit finds the name free, and what it looked at before is of no use. Every organization has an account.

create function refuse_reserved_username() returns trigger language plpgsql as $$
begin
  if exists (select from reserved_names where name = new.username) then
    raise unique_violation using
      message = 'the name ' || new.username || ' was an organization''s', constraint = 'users_username_key';
  end if;
  return null;
end $$;

-- After the row, when it has waited for whoever had the name.
create trigger users_reserved_username after insert or update of username on users
  for each row execute function refuse_reserved_username();
